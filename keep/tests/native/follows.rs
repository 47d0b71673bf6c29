// SPDX-License-Identifier: MIT OR Apache-2.0
//! NAT mappings go after their connections, and never that of a flow that was opened again in between.

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use cmpdel_uapi_raw::Elements;
use keep::{Collector, Field, Means, Outcome, Plan};
use libbpf_rs::{Map, MapCore as _};

use crate::frames::{data, syn};
use crate::rig::{LIFETIME, Rig, hash};

/// The example with Cilium's layout and a clock that a test sets.
const MAPPED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/mapped.o"));
const MAPS: [&str; 4] = ["ct4", "nat4", "ct6", "nat6"];
const CT_LIFETIME: u32 = 32;
const NAT_LIFETIME: u32 = 0;
/// Number of the event "an entry without its mapping", and of all events.
const UNMAPPED: usize = 7;
const EVENTS: usize = 8;

const FLOWS: u16 = 16;
const TIME: Duration = Duration::from_secs(3);
/// A control that has lost nothing by then is none.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn no_mapping_goes_that_was_made_again() {
    let Some(rig) = Rig::with(MAPPED, hash(4096), &MAPS) else { return };
    let map = rig.datapath.map("nat4").unwrap();
    let mut nat = open(&rig, map.as_fd(), NAT_LIFETIME);
    let deleted = run(&rig, TIME, |threshold, keys| {
        let mut busy = BTreeSet::new();
        let listed = keys.iter().map(Vec::as_slice);
        let tell = |key: &[u8], outcome| {
            if outcome == Outcome::Busy {
                busy.insert(key.to_vec());
            }
        };
        nat.round_listed(threshold, listed, tell).unwrap();
        busy
    });
    assert!(deleted > 100, "{deleted}: hardly anything was deleted");
    assert_eq!(unmapped(&rig), 0, "mappings of live flows went");
    rig.assert_all_let_go();

    rig.advance(LIFETIME + 1);
    // What the last round has left to follow is gone, and what is left is mapped.
    let ct = rig.datapath.map("ct4").unwrap();
    let keys = |map: &Map<'_>| map.keys().collect::<BTreeSet<_>>();
    assert!(keys(&ct).is_subset(&keys(&map)));
}

#[test]
fn a_collector_that_deletes_mappings_by_key_loses() {
    let Some(rig) = Rig::with(MAPPED, hash(4096), &MAPS) else { return };
    let map = rig.datapath.map("nat4").unwrap();
    let elements = Elements::new(map.as_fd()).unwrap();
    let end = Instant::now() + PATIENCE;
    while unmapped(&rig) == 0 {
        assert!(Instant::now() < end, "nothing was lost in {PATIENCE:?}");
        run(&rig, TIME / 10, |_, keys| {
            for key in keys {
                // Whether it is still there does not matter to it.
                let _ = elements.delete(key);
            }
            BTreeSet::new()
        });
    }
    println!("{} mappings of live flows went", unmapped(&rig));
}

fn unmapped(rig: &Rig) -> u64 {
    rig.datapath.counters::<EVENTS>().unwrap()[UNMAPPED]
}

fn open<'a>(rig: &'a Rig, map: BorrowedFd<'a>, offset: u32) -> Collector<'a> {
    let plan = Plan::new(map, Field::unsigned(offset, 4)).stripes(rig.stripes());
    plan.only(Means::Stripes).open().unwrap()
}

/// Flows end and are opened again while connections are collected; `follow` is told of those that are gone, and says which it
/// is to be told of again. How many went.
fn run(
    rig: &Rig,
    time: Duration,
    mut follow: impl FnMut(i128, &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>>,
) -> u64 {
    let stop = AtomicBool::new(false);
    // By the time a flow is chosen again, its lifetime is about over.
    rig.run_clock(2);
    thread::scope(|scope| {
        let _stop = Stop(&stop);
        scope.spawn(|| {
            let mut random = fastrand::Rng::with_seed(1);
            while !stop.load(Relaxed) {
                let flow = random.u16(1..=FLOWS);
                if !rig.passes(&data(flow)) {
                    rig.passes(&syn(flow));
                }
                // Fresh, so its mapping is looked at.
                rig.passes(&data(flow));
            }
        });
        let mut ct = open(rig, rig.ct(), CT_LIFETIME);
        let (mut gone, mut deleted) = (BTreeSet::new(), 0);
        let end = Instant::now() + time;
        while Instant::now() < end {
            let threshold = rig.now().into();
            let tell = |key: &[u8], outcome| {
                if outcome == Outcome::Deleted {
                    gone.insert(key.to_vec());
                }
            };
            deleted += ct.round(threshold, tell).unwrap().deleted;
            gone = follow(threshold, &gone);
        }
        deleted
    })
}

/// Says so when it is dropped: also where a test fails, which waits for its threads.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
