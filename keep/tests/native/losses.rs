// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing is lost while packets refresh and collectors delete; with either side careless, entries are.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use cmpdel_uapi_raw::Elements;
use keep::Outcome;

use crate::datapath::Shape;
use crate::frames::{data, flow_of, key_of, syn};
use crate::rig::{
    EVICTED, EXISTING, LIFETIME, RESTORED, Rig, SLOW, STRIPED, UNSTRIPED, hash, lru, unallocated,
};
use crate::traffic::{FLOWS, Pace, rounds, run};

/// For each kind of map, at least.
const PHASES: u32 = 6;
/// A machine that has tried hardly anything by then is none to test this on.
const MOST_PHASES: u32 = 120;
/// How much is something.
const ENOUGH: u64 = 100;
/// Between looks at what packets have left in the map.
const PHASE: Duration = Duration::from_millis(500);
/// Turns of a loop, in which a collector makes a round at most, and in which a slow one does.
const QUICK: u32 = 200;
const LEISURE: u32 = 2000;
/// A control that has lost nothing by then is none.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn nothing_is_lost_in_a_hash() {
    nothing_is_lost(STRIPED, hash(4096));
}

#[test]
fn nothing_is_lost_in_a_hash_without_preallocation() {
    nothing_is_lost(STRIPED, unallocated(4096));
}

#[test]
fn nothing_is_lost_in_an_lru_hash() {
    nothing_is_lost(STRIPED, lru(4096));
}

/// The same where packets and collectors give each other time to come in between.
#[test]
fn nothing_is_lost_in_slow_motion() {
    [hash(4096), unallocated(4096), lru(4096)].into_iter().for_each(|shape| nothing_is_lost(SLOW, shape));
}

fn nothing_is_lost(object: &[u8], shape: Shape) {
    let Some(mut rig) = Rig::new(object, shape) else { return };
    let turns = if object == SLOW { LEISURE } else { QUICK };
    let (mut judged, mut reopened) = (0, 0);
    let mut phases = 0..MOST_PHASES;
    while let Some(phase) = phases.next().filter(|phase| *phase < PHASES || judged.min(reopened) <= ENOUGH) {
        // Some microseconds, on the slow one. Whoever is always as slow as the collector is never overtaken by it.
        rig.turns = if phase % 4 < 2 { 0 } else { 8192 };
        let pace = if phase % 2 == 0 { Pace::Run } else { Pace::Jump(turns) };
        let open = || if object == SLOW { rig.slow_collector() } else { rig.collector() };
        let tally = run(&rig, pace, PHASE, &[&|stop| rounds(&rig, open(), stop)]);
        assert_eq!(tally.lost, 0, "{tally:?} {:?}", rig.counts());
        judged += tally.judged;
        reopened += tally.reopened;
        rig.assert_own_back_ends();
        rig.assert_all_let_go();
    }
    println!("{judged} pairs judged, {reopened} flows opened again");
    assert!(judged.min(reopened) > ENOUGH, "{judged} {reopened}: hardly anything was tried");
}

#[test]
fn a_datapath_without_stripes_loses() {
    let Some(rig) = Rig::new(UNSTRIPED, hash(4096)) else { return };
    loses(&rig, LEISURE, &|stop| rounds(&rig, rig.slow_collector(), stop));
}

#[test]
fn a_collector_that_looks_and_deletes_loses() {
    let Some(rig) = Rig::new(STRIPED, hash(4096)) else { return };
    loses(&rig, QUICK, &|stop| look_and_delete(&rig, stop));
}

/// As collectors do that know of no race.
fn look_and_delete(rig: &Rig, stop: &AtomicBool) {
    let map = Elements::new(rig.ct()).unwrap();
    while !stop.load(Relaxed) {
        let now = rig.now();
        for flow in 1..=FLOWS {
            let mut value = [0; 16];
            let found = map.look_up(&key_of(flow), &mut value, 0).is_ok();
            if found && u32::from_ne_bytes(value[..4].try_into().unwrap()) < now {
                // Whether it is still there does not matter to it.
                let _ = map.delete(&key_of(flow));
            }
        }
    }
}

#[track_caller]
fn loses(rig: &Rig, turns: u32, collect: &(dyn Fn(&AtomicBool) + Sync)) {
    let end = Instant::now() + PATIENCE;
    for pace in [Pace::Jump(turns), Pace::Run].into_iter().cycle() {
        let tally = run(rig, pace, PHASE, &[collect]);
        if tally.lost > 0 {
            println!("{pace:?}: {tally:?}");
            return;
        }
        assert!(
            Instant::now() < end,
            "nothing was lost in {PATIENCE:?}: nobody was careless, or nobody looked"
        );
    }
}

/// A map that evicts takes entries away without a stripe, and gives their elements to others at once.
#[test]
fn evictions_give_no_flow_anothers_back_end() {
    let Some(rig) = Rig::new(EVICTED, lru(64)) else { return };
    for flow in 1..=200 {
        assert!(rig.passes(&syn(flow)));
        rig.advance(LIFETIME / 2 + 1);
        // It is due: others come between its look-up and its copy.
        rig.passes(&data(flow));
        assert_eq!(rig.foreign(), 0, "a refresh would have published another flow's state");
    }
    let counts = rig.counts();
    assert!(counts.missed > 100, "{counts:?}: hardly any was evicted in between");
    rig.assert_all_let_go();
}

/// `KEEP_REPLACE_FLAGS` for CPUs that reorder stores: what is gone by the time of the update stays gone.
#[test]
fn a_replacement_of_what_exists_makes_no_entry() {
    for (object, puts_back) in [(EXISTING, false), (RESTORED, true)] {
        let Some(rig) = Rig::new(object, lru(64)) else { return };
        for flow in 1..=200 {
            assert!(rig.passes(&syn(flow)));
            rig.advance(LIFETIME / 2 + 1);
            rig.passes(&data(flow));
        }
        let counts = rig.counts();
        println!("puts back: {puts_back}: {counts:?}");
        assert_eq!(counts.failed, 0, "{counts:?}");
        if puts_back {
            assert_eq!(counts.refreshed, 200, "{counts:?}");
        } else {
            assert!(counts.missed > 100, "{counts:?}: hardly any was evicted in between");
        }
        rig.assert_all_let_go();
    }
}

#[test]
fn what_is_told_is_what_was_deleted() {
    let Some(rig) = Rig::new(STRIPED, hash(64)) else { return };
    assert!((1..=40).all(|flow| rig.passes(&syn(flow))));
    rig.advance(LIFETIME / 2 + 1);
    assert!((1..=10).all(|flow| rig.passes(&data(flow))));
    rig.advance(LIFETIME / 2);
    let mut told = Vec::new();
    let round =
        rig.collector().round(rig.now().into(), |key, outcome| told.push((key.to_vec(), outcome))).unwrap();
    told.sort_by_key(|(key, _)| flow_of(key));
    let expected: Vec<_> = (11..=40).map(|flow| (key_of(flow).to_vec(), Outcome::Deleted)).collect();
    assert_eq!(told, expected);
    assert_eq!((round.looked_at, round.expired, round.deleted), (40, 30, 30));
    assert_eq!(rig.entries().len(), 10);
}
