// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets of flows that are about to expire all the time, and the oracle: a packet that was let through has refreshed its
//! entry or found it fresh, so the next one within half a lifetime has to find it.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use keep::Collector;

use crate::frames::{Flow, data, syn};
use crate::rig::{LIFETIME, Rig};

/// Flows, each used by all threads.
pub const FLOWS: u16 = 32;
/// Threads that send packets.
const SENDERS: u64 = 2;

/// What came of pairs of packets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Pairs of which the oracle can tell.
    pub judged: u64,
    /// Of those, the second packet found no entry.
    pub lost: u64,
    /// Flows that had expired when a packet came.
    pub reopened: u64,
}

/// Sends packets for `time` while each of `collectors` runs in a thread of its own, again and again.
pub fn run(rig: &Rig, time: Duration, collectors: &[&(dyn Fn(&AtomicBool) + Sync)]) -> Tally {
    // By the time a flow is chosen again, its lifetime is about over.
    rig.run_clock(1);
    let (stop, end) = (AtomicBool::new(false), Instant::now() + time);
    let tally = thread::scope(|scope| {
        for collect in collectors {
            scope.spawn(|| collect(&stop));
        }
        let senders: Vec<_> = (0..SENDERS).map(|seed| scope.spawn(move || send(rig, end, seed))).collect();
        let mut tally = Tally::default();
        for sender in senders {
            let sent = sender.join();
            // Whoever waits for it would wait for ever.
            stop.store(true, Relaxed);
            let sent = sent.unwrap();
            tally.judged += sent.judged;
            tally.lost += sent.lost;
            tally.reopened += sent.reopened;
        }
        tally
    });
    rig.advance(0);
    tally
}

/// Rounds, until they are told to stop.
pub fn rounds(rig: &Rig, mut collector: Collector<'_>, stop: &AtomicBool) {
    while !stop.load(Relaxed) {
        collector.round_counted(rig.now().into()).unwrap();
    }
}

fn send(rig: &Rig, end: Instant, seed: u64) -> Tally {
    let mut random = Rng::with_seed(seed);
    let mut tally = Tally::default();
    while Instant::now() < end {
        let excused = excuses(rig);
        for _ in 0..64 {
            pair(rig, random.u16(1..=FLOWS), excused, &mut tally);
        }
    }
    tally
}

fn pair(rig: &Rig, flow: Flow, excused: u64, tally: &mut Tally) {
    let since = rig.now();
    if !rig.passes(&data(flow)) {
        tally.reopened += 1;
        rig.passes(&syn(flow));
        return;
    }
    let found = rig.passes(&data(flow));
    // Whoever stood still for long proves nothing.
    if rig.now() - since < LIFETIME / 2 && (found || excuses(rig) == excused) {
        tally.judged += 1;
        tally.lost += u64::from(!found);
    }
}

/// Packets that passed without a stripe, and have refreshed nothing.
fn excuses(rig: &Rig) -> u64 {
    let counts = rig.counts();
    counts.busy + counts.failed
}
