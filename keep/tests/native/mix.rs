// SPDX-License-Identifier: MIT OR Apache-2.0
//! An upgrade half done: the datapath of yesterday beside one with these headers, and collectors of different protocols on one
//! map. What is refused, and what is lost where nobody refuses it: docs/MIX.md has a row for each test.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use cmpdel_uapi::{Error as Denied, Map, programs};
use cmpdel_uapi_raw::run_on_frame;
use keep::{Collector, Error, Field, Means, Plan};
use libbpf_rs::{Object, ObjectBuilder};

use crate::frames::{data, syn};
use crate::rig::{LIFETIME, Rig, SLOW_COLLECTOR, STRIPED, hash};
use crate::traffic::{Pace, rounds, run};

const YESTERDAY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/yesterday.o"));
/// Its only program.
const NAME: &str = "yesterday";
const XDP_PASS: u32 = 2;
const FIELD: Field = Field { offset: 0, size: 4, signed: false, order: keep::Order::Native };
/// One that lost nothing by then loses nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Turns of a loop, in which a slow collector makes a round at most.
const TURNS: u32 = 2000;

/// The datapath of yesterday, with the clock of the rig.
struct Yesterday {
    object: Object,
}

impl Yesterday {
    /// On the rig's map, or on one of its own.
    fn beside(rig: &Rig, on_its_map: bool) -> Self {
        let mut builder = ObjectBuilder::default();
        let mut open = builder.open_memory(YESTERDAY).unwrap();
        for mut map in open.maps_mut() {
            let name = map.name().to_string_lossy().into_owned();
            match name.as_str() {
                "clock" => map.reuse_fd(rig.clock()).unwrap(),
                "ct" if on_its_map => map.reuse_fd(rig.ct()).unwrap(),
                _ => {}
            }
        }
        let object = open.load().unwrap_or_else(|error| panic!("{error:#}{}", libbpf_log::tail()));
        Self { object }
    }

    fn program(&self) -> OwnedFd {
        let program = self.object.progs().find(|program| program.name() == NAME).unwrap();
        program.as_fd().try_clone_to_owned().unwrap()
    }

    fn id(&self, rig: &Rig) -> u32 {
        let map = Map::new(rig.ct()).unwrap().info().id;
        let found = programs().unwrap().into_iter();
        found
            .filter(|program| program.name == NAME && program.maps.contains(&map))
            .map(|one| one.id)
            .max()
            .unwrap()
    }

    fn passes(&self, frame: &[u8]) -> bool {
        run_on_frame(self.program().as_fd(), frame).unwrap() == XDP_PASS
    }
}

fn plan<'a>(ct: BorrowedFd<'a>, stripes: BorrowedFd<'a>) -> Plan<'a> {
    Plan::new(ct, FIELD).stripes(stripes).only(Means::Stripes)
}

fn names_yesterday(error: &Error) -> bool {
    matches!(error, Error::Unstriped { name, .. } if name == NAME)
}

#[test]
fn no_collector_opens_while_an_old_datapath_uses_the_map() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    let old = Yesterday::beside(&rig, true);
    assert!(old.passes(&syn(1)));
    let error = plan(rig.ct(), rig.stripes()).open().map(drop).unwrap_err();
    assert!(names_yesterday(&error), "{error}");
    assert_eq!(rig.entries().len(), 1);
    drop(old);
    assert!(rig.collector().round_counted(0).is_ok(), "it is gone, and still in the way");
}

#[test]
fn a_collector_stops_when_an_old_datapath_comes_back() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    assert!(rig.passes(&syn(1)));
    let mut collector = rig.collector();
    rig.advance(LIFETIME + 1);
    let old = Yesterday::beside(&rig, true);
    let error = collector.round_counted(rig.now().into()).unwrap_err();
    assert!(names_yesterday(&error), "{error}");
    assert_eq!(rig.entries().len(), 1, "deleted under stripes that an old datapath does not take");
    drop(old);
    assert_eq!(collector.round_counted(rig.now().into()).unwrap().deleted, 1);
}

/// The control of the two above: there is a reason to refuse it.
#[test]
fn an_old_datapath_that_is_called_a_reader_loses() {
    let Some(mut rig) = Rig::new(STRIPED, hash(4096)) else { return };
    let old = Yesterday::beside(&rig, true);
    let readers = [old.id(&rig)];
    rig.send_through(old.program());
    let end = Instant::now() + PATIENCE;
    loop {
        let open = || -> Collector<'_> {
            plan(rig.ct(), rig.stripes()).readers(&readers).object(SLOW_COLLECTOR).open().unwrap()
        };
        let collect = |stop: &_| rounds(&rig, open(), stop);
        let tally = run(&rig, Pace::Jump(TURNS), Duration::from_millis(500), &[&collect]);
        if tally.lost > 0 {
            return println!("{tally:?}");
        }
        assert!(Instant::now() < end, "nothing was lost in {PATIENCE:?}: {tally:?}");
    }
}

#[test]
fn an_entry_of_an_old_datapath_is_nobodys_to_a_new_one() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    let old = Yesterday::beside(&rig, true);
    assert!(old.passes(&syn(1)) && old.passes(&data(1)));
    // Without a tag it might be any flow's: not even a SYN gets past it until it has been collected.
    assert!(!rig.passes(&data(1)) && !rig.passes(&syn(1)));
    assert_eq!((rig.counts().failed, rig.counts().opened), (2, 0));
    drop(old);
    rig.advance(LIFETIME + 1);
    assert_eq!(rig.collector().round_counted(rig.now().into()).unwrap().deleted, 1);
    assert!(rig.passes(&syn(1)) && rig.passes(&data(1)));
}

#[test]
fn an_entry_of_a_new_datapath_stays_its_own_where_an_old_one_refreshes_it() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    assert!(rig.passes(&syn(1)));
    let old = Yesterday::beside(&rig, true);
    rig.advance(LIFETIME - 1);
    assert!(old.passes(&data(1)));
    rig.advance(2);
    assert!(rig.passes(&data(1)));
    assert_eq!((rig.counts().fresh, rig.counts().failed), (1, 0));
    rig.assert_own_back_ends();
}

#[test]
fn with_a_map_of_its_own_a_new_datapath_drops_the_flows_of_the_old_one() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    let old = Yesterday::beside(&rig, false);
    assert!(old.passes(&syn(1)) && old.passes(&data(1)));
    assert!(!rig.passes(&data(1)));
    assert_eq!((rig.counts().missed, rig.counts().failed), (1, 0));
    assert!(rig.passes(&syn(1)) && rig.passes(&data(1)), "it opens again");
    assert!(old.passes(&data(1)), "and the old one goes on");
    assert!(rig.collector().round_counted(0).is_ok(), "an old datapath on another map is in nobody's way");
}

/// A collector of v3 on a kernel that may have it or not.
#[test]
fn a_collector_that_compares_deletes_what_has_expired_or_nothing() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    assert!(rig.passes(&syn(1)));
    rig.advance(LIFETIME + 1);
    assert!(rig.passes(&syn(2)));
    match Plan::new(rig.ct(), FIELD).only(Means::Compare).open() {
        Err(Error::Map(Denied::UnsupportedKernel)) => {
            assert_eq!(rig.entries().len(), 2);
            println!("refused: this kernel does not compare");
        }
        Err(error) => panic!("{error}"),
        Ok(mut collector) => {
            assert_eq!(collector.round_counted(rig.now().into()).unwrap().deleted, 1);
            assert_eq!(rig.entries().iter().map(|(flow, _)| *flow).collect::<Vec<_>>(), [2]);
        }
    }
}
