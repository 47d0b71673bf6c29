// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole guest stands still in the middle of traffic and of gc rounds, and its wall clock is set right afterwards.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use approaches::{Column, Gc, MapKind, Refresh};
use cmpdel_uapi_raw::{Elements, Snapshot};
use results::time::stop::Files;
use results::time::{Left, Stopped};

use super::walk::{look, room, walk};
use super::wall::{Clock, Set, clocks, since};
use crate::claims::{Claims, Counted};
use crate::clock::monotonic;
use crate::collector::Collector;
use crate::cpus::pin;
use crate::datapath::{Datapath, Packet, Settings, flow_of, object_for};
use crate::layout::{BURST, Fate, Kind, Outcome, TICK};
use crate::load::Denied;
use crate::oracle::{Oracle, Settled};

/// A stop to try.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// In words.
    pub name: &'static str,
    /// Stamps, and judges.
    pub clock: Clock,
    /// The wall clock is set right afterwards.
    pub set: bool,
    /// It has to go wrong.
    pub loses: bool,
    /// Part of the quick form.
    pub quick: bool,
}

/// All of them.
pub const SCENES: &[Scene] = &[
    Scene {
        name: "stop: monotonic stamps, the wall clock set right afterwards",
        clock: Clock::Monotonic,
        set: true,
        loses: false,
        quick: true,
    },
    Scene {
        name: "stop: boottime stamps, the wall clock set right afterwards",
        clock: Clock::Boottime,
        set: true,
        loses: false,
        quick: false,
    },
    Scene {
        name: "stop: realtime stamps, the wall clock left as it is",
        clock: Clock::Realtime,
        set: false,
        loses: false,
        quick: false,
    },
    Scene {
        name: "stop: realtime stamps, the wall clock set right afterwards",
        clock: Clock::Realtime,
        set: true,
        loses: true,
        quick: true,
    },
];

/// Flows that never pause, and flows that send one packet.
const FLOWS: u32 = 128;
const IDLE: u32 = 64;
/// Entries that there is room for.
const ENTRIES: u32 = 1024;
/// A tick of the datapath's clock, in ns, of which an entry lives eight.
const LENGTH: i64 = 250_000_000;
/// The tick at the beginning.
const FIRST: i64 = 100;
/// Before the stop, for traffic and rounds to be in full course; and after it, for all to expire that will.
const BEFORE: Duration = Duration::from_secs(1);
const AFTER: Duration = Duration::from_millis(3500);
/// For the host to answer, beyond the stop.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(5);

/// What packets and the collector come to.
struct Course<'a> {
    datapath: &'a Datapath,
    oracle: Mutex<Oracle>,
    over: AtomicBool,
    packets: AtomicU64,
    missed: AtomicU64,
}

/// Has the host stop the guest for `lasts`, and says what came of it.
///
/// # Errors
/// When the host does not, or a call fails.
pub fn run(scene: &Scene, lasts: Duration, run: &Path) -> Result<Stopped> {
    let gc = Column { gc: Gc::Compare, grace: false };
    let settings = Settings::new(MapKind::Hash, ENTRIES);
    let datapath = Datapath::load(&object_for(Refresh::Replace, gc), settings).map_err(Denied::error)?;
    let mut collector = Collector::open(&gc, false, datapath.target("ct4")?).map_err(Denied::error)?;
    let course = Course {
        datapath: &datapath,
        oracle: Mutex::default(),
        over: AtomicBool::new(false),
        packets: AtomicU64::new(0),
        missed: AtomicU64::new(0),
    };
    let began = scene.clock.now();
    let tick = || {
        let ticks = FIRST + (scene.clock.now() - began) / LENGTH;
        datapath.set_clock(u32::try_from(ticks).unwrap_or(0));
    };
    tick();
    course.send(0..FLOWS + IDLE, Kind::Open)?;
    let mut stood = None;
    let (removed, rounds) = thread::scope(|scope| -> Result<(u64, u64)> {
        let sender = scope.spawn(|| course.traffic());
        let rounds = scope.spawn(|| course.rounds(&mut collector));
        // Whatever comes of it: nobody is left at work.
        let told = ask(lasts, run, scene.set, &tick);
        course.over.store(true, SeqCst);
        sender.join().map_err(|_| anyhow!("the traffic panicked"))??;
        let rounds = rounds.join().map_err(|_| anyhow!("the collector panicked"))??;
        stood = Some(told?);
        Ok(rounds)
    })?;
    let (host_ms, went, set_ms) = stood.context("nothing was told of the stop")?;
    let (missed, packets) = (course.missed.load(Relaxed), course.packets.load(Relaxed));
    let oracle = course.oracle.into_inner().map_err(|_| anyhow!("a side of a scene panicked"))?;
    let elements = Elements::new(datapath.map("ct4")?).context("cannot use the map under test")?;
    let mut there = HashMap::new();
    for flow in 0..FLOWS + IDLE {
        if let Some(found) = look(&elements, flow)? {
            there.insert(flow, found);
        }
    }
    let mut walked = Snapshot::default();
    walk(&elements, &mut walked).map_err(|errno| anyhow!("cannot walk the map: {errno}"))?;
    let left = Left {
        live: (0..FLOWS).all(|flow| there.contains_key(&flow)),
        expired_gone: (FLOWS..FLOWS + IDLE).all(|flow| !there.contains_key(&flow)),
        walked: walked.count as u64,
        found: there.len() as u64,
        room: room(&elements, FLOWS + IDLE, ENTRIES)?,
        capacity: ENTRIES.into(),
    };
    let now = datapath.control().now.load(SeqCst);
    let settled = Settled::join(vec![oracle.settle(now, monotonic(), &there, 0)]);
    Ok(Stopped {
        clock: scene.clock.name().into(),
        loses: scene.loses,
        lifetime_ms: u64::from(settings.timeout) * u64::try_from(LENGTH / 1_000_000)?,
        host_ms,
        clocks: went,
        set_ms,
        packets,
        missed,
        removed,
        rounds,
        violations: settled.violations,
        left,
    })
}

/// Asks for the stop, and has the clock go on all the time. Gives for how long the host says that it was, what each clock says
/// of the time between, and by how much the wall clock was set.
fn ask(
    lasts: Duration,
    run: &Path,
    set: bool,
    tick: &dyn Fn(),
) -> Result<(u64, results::time::stop::Clocks, i64)> {
    let go_on = |time: Duration| {
        let since = Instant::now();
        while since.elapsed() < time {
            tick();
            thread::sleep(STEP);
        }
    };
    go_on(BEFORE);
    let files = (0..).map(Files).find(|files| !run.join(files.request()).exists());
    let files = files.context("no number is free for a request to the host")?;
    let new = run.join(format!("{}.new", files.request()));
    let (before, asked) = (clocks(), Instant::now());
    fs::write(&new, lasts.as_millis().to_string())
        .and_then(|()| fs::rename(&new, run.join(files.request())))
        .context("cannot ask the host for a stop")?;
    let told = loop {
        tick();
        if let Ok(told) = fs::read_to_string(run.join(files.done())) {
            break told.trim().parse().context("the host does not say for how long the guest stood still")?;
        }
        if let Ok(why) = fs::read_to_string(run.join(files.failed())) {
            bail!("the host did not stop the guest: {why}");
        }
        ensure!(asked.elapsed() < lasts + PATIENCE, "the host does not answer {}", files.request());
        thread::sleep(STEP);
    };
    let went = since(before);
    // What the wall clock is behind by now, as whoever sets it right finds out from elsewhere.
    let behind = i64::try_from(told)? - went.realtime;
    let right = if set { Some(Set::by(behind.max(0) * 1_000_000)?) } else { None };
    go_on(AFTER);
    drop(right);
    Ok((told, went, if set { behind.max(0) } else { 0 }))
}

impl Course<'_> {
    /// A packet of each of these flows.
    fn send(&self, flows: std::ops::Range<u32>, kind: Kind) -> Result<()> {
        let packets: Vec<Packet> = flows.map(|flow| Packet { flow, kind }).collect();
        for burst in packets.chunks(BURST) {
            self.datapath.burst(0, burst, |handled| {
                if let Ok(mut oracle) = self.oracle.lock() {
                    oracle.packet(&handled);
                }
                self.packets.fetch_add(1, Relaxed);
                self.missed.fetch_add(u64::from(handled.outcome == Outcome::Missed), Relaxed);
            })?;
        }
        Ok(())
    }

    /// Packets of the flows that never pause, on the first CPU.
    fn traffic(&self) -> Result<()> {
        pin(0)?;
        while !self.over.load(SeqCst) {
            self.send(0..FLOWS, Kind::Data)?;
            // Long enough for a round to come between a step of the clock and the next packet.
            thread::sleep(40 * STEP);
        }
        Ok(())
    }

    /// One round after the other, on the second CPU: what was removed, and how many they were.
    fn rounds(&self, collector: &mut Collector<'_>) -> Result<(u64, u64)> {
        pin(1)?;
        let (mut claims, mut rounds) = (Claimed { course: self, counted: Counted::default() }, 0);
        while !self.over.load(SeqCst) {
            collector.round(&mut claims)?;
            rounds += 1;
            thread::sleep(STEP);
        }
        ensure!(claims.counted.errors.is_empty(), "rounds failed: {:?}", claims.counted.errors);
        Ok((claims.counted.removed, rounds))
    }
}

/// Tells the oracle and counts.
struct Claimed<'c, 'a> {
    course: &'c Course<'a>,
    counted: Counted,
}

impl Claims for Claimed<'_, '_> {
    fn claim(&mut self, key: &[u8], lifetime: u32, fate: Fate, done: u64) {
        self.counted.claim(key, lifetime, fate, done);
        if fate == Fate::Removed
            && let Ok(mut oracle) = self.course.oracle.lock()
        {
            oracle.claimed(flow_of(key), lifetime, done..=done);
        }
    }

    fn error(&mut self, errno: cmpdel_uapi_raw::Errno) {
        self.counted.error(errno);
    }

    fn dropped(&mut self, entries: u64) {
        self.counted.dropped(entries);
    }
}

const _: () = assert!(FLOWS + IDLE < TICK);
