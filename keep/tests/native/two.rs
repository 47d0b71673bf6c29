// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two collectors at once: of each entry that goes away one of them is told, and only one.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use keep::Outcome;

use crate::frames::{Flow, flow_of};
use crate::rig::{Rig, STRIPED, hash};
use crate::traffic::run;

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
            collector.round(rig.reached().into(), tell).unwrap();
        }
    };
    let tally = run(&rig, TIME, &[&collect, &collect]);
    assert_eq!(tally.lost, 0, "{tally:?}");
    let told: u64 = told.into_inner().unwrap().values().sum();
    let gone = rig.counts().opened - rig.entries().len() as u64;
    assert_eq!(told, gone, "entries that went away, and those that were told of");
    assert!(told > 100, "{told}: hardly anything was deleted");
    println!("{told} entries, each told of once; {} times the other was first", absent.into_inner().unwrap());
    rig.assert_all_let_go();
}
