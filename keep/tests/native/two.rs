// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two collectors at once: of each entry that goes away one of them is told, and only one.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use keep::Outcome;

use crate::frames::{Flow, flow_of, syn};
use crate::rig::{LIFETIME, Rig, STRIPED, hash};
use crate::traffic::{Pace, run};

const TIME: Duration = Duration::from_secs(2);

#[test]
fn two_collectors_tell_of_each_entry_once() {
    let Some(rig) = Rig::new(STRIPED, hash(4096)) else { return };
    let told: Mutex<HashMap<Flow, u64>> = Mutex::default();
    let absent = Mutex::new(0);
    let collect = |stop: &AtomicBool| {
        let mut collector = rig.collector();
        while !stop.load(Relaxed) {
            let tell = |key: &[u8], outcome| match outcome {
                Outcome::Deleted => *told.lock().unwrap().entry(flow_of(key)).or_default() += 1,
                Outcome::Absent => *absent.lock().unwrap() += 1,
                _ => {}
            };
            collector.round(rig.now().into(), tell).unwrap();
        }
    };
    let tally = run(&rig, Pace::Run, TIME, &[&collect, &collect]);
    assert_eq!(tally.lost, 0, "{tally:?}");
    let told: u64 = told.into_inner().unwrap().values().sum();
    let gone = rig.counts().opened - rig.entries().len() as u64;
    assert_eq!(told, gone, "entries that went away, and those that were told of");
    assert!(told > 100, "{told}: hardly anything was deleted");
    println!("{told} entries, each told of once; {} times the other was first", absent.into_inner().unwrap());
    rig.assert_all_let_go();
}

/// Flows for two collectors to race for, and how often they do.
const FLOWS: u16 = 2000;
const RACES: u32 = 20;

#[test]
fn whoever_deletes_tells_and_the_other_finds_nothing() {
    let Some(rig) = Rig::new(STRIPED, hash(4096)) else { return };
    let (mut both, mut first) = (0, 0);
    for _ in 0..RACES {
        assert!((1..=FLOWS).all(|flow| rig.passes(&syn(flow))));
        rig.advance(LIFETIME + 1);
        let start = Barrier::new(2);
        let collect = || {
            let (mut collector, mut told) = (rig.collector(), Vec::new());
            start.wait();
            let tell = |key: &[u8], outcome| told.push((flow_of(key), outcome));
            (collector.round(rig.now().into(), tell).unwrap(), told)
        };
        let rounds = thread::scope(|scope| {
            [scope.spawn(collect), scope.spawn(collect)].map(|one| one.join().unwrap())
        });
        let told = rounds.iter().flat_map(|(_, told)| told);
        let mut deleted: Vec<_> =
            told.filter(|(_, outcome)| *outcome == Outcome::Deleted).map(|(flow, _)| *flow).collect();
        deleted.sort_unstable();
        assert!(deleted.is_sorted_by(|one, next| one < next), "one was told of twice");
        assert_eq!(deleted.len(), usize::from(FLOWS), "some were not told of");
        both += u32::from(rounds.iter().all(|(round, _)| round.deleted > 0));
        first += rounds.iter().map(|(round, _)| round.absent).sum::<u64>();
    }
    println!("in {both} of {RACES} races both deleted; {first} times the other was first");
    rig.assert_all_let_go();
}
