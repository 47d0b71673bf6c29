// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets of flows that are about to expire all the time, and the oracle: a packet that was let through has refreshed its
//! entry or found it fresh, so the next one within half a lifetime has to find it.

use std::hint;
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

/// How flows come to expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Two threads send packets, each of which moves the clock on: by the time a flow is chosen again, its lifetime is about
    /// over.
    Run,
    /// One thread has a flow expire, and sends a packet of it at the very moment in which a collector comes by: up to so many
    /// turns of a loop later.
    Jump(u32),
}

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
pub fn run(rig: &Rig, pace: Pace, time: Duration, collectors: &[&(dyn Fn(&AtomicBool) + Sync)]) -> Tally {
    let (step, senders) = if pace == Pace::Run { (1, 2) } else { (0, 1) };
    rig.run_clock(step);
    let (stop, end) = (AtomicBool::new(false), Instant::now() + time);
    let tally = thread::scope(|scope| {
        for collect in collectors {
            scope.spawn(|| collect(&stop));
        }
        let senders: Vec<_> =
            (0..senders).map(|seed| scope.spawn(move || send(rig, pace, end, seed))).collect();
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

fn send(rig: &Rig, pace: Pace, end: Instant, seed: u64) -> Tally {
    let mut random = Rng::with_seed(seed);
    let mut tally = Tally::default();
    while Instant::now() < end {
        let excused = excuses(rig);
        for _ in 0..64 {
            let flow = random.u16(1..=FLOWS);
            let mut turns = 0;
            if let Pace::Jump(most) = pace {
                turns = random.u32(0..most);
                rig.passes(&syn(flow));
                rig.advance(LIFETIME + 1);
                wait(turns);
            }
            pair(rig, flow, turns, excused, &mut tally);
        }
    }
    tally
}

fn wait(turns: u32) {
    (0..turns).for_each(|_| hint::spin_loop());
}

fn pair(rig: &Rig, flow: Flow, turns: u32, excused: u64, tally: &mut Tally) {
    let since = rig.now();
    if !rig.passes(&data(flow)) {
        tally.reopened += 1;
        rig.passes(&syn(flow));
        return;
    }
    // A collector that is about to delete is given the time.
    wait(turns);
    let found = rig.passes(&data(flow));
    // Whoever stood still for long proves nothing, nor does a clock that a look-up copied while a packet moved it on.
    if rig.now().wrapping_sub(since) < LIFETIME / 2 && (found || excuses(rig) == excused) {
        tally.judged += 1;
        tally.lost += u64::from(!found);
    }
}

/// Packets that passed without a stripe, and have refreshed nothing.
fn excuses(rig: &Rig) -> u64 {
    let counts = rig.counts();
    counts.busy + counts.failed
}
