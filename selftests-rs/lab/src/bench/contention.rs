// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets on one CPU while GC is at work on another: what each pays for the other. Only a real clock and two real CPUs
//! have anything to say of it.
//!
//! Some flows are live and never expire; others, which no packet belongs to, have expired when a round begins, and are put
//! back between rounds. Of three rounds one has packets and GC, one GC alone and one packets alone, and neighbours are
//! compared: whatever else the machine does meets all three alike.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use approaches::{Gc, Protocol, Refresh, Runs, Strategy};
use cmpdel_uapi_raw::now;
use results::bench::{Contention, Group, Measure};
use rustix::thread::{CpuSet, sched_getaffinity};

use super::clock::Clock;
use super::datapath::{Bursts, list, must_come_of};
use super::job::Whose;
use super::samples::{measure, summary};
use super::track::Track;
use super::{Not, Step};
use crate::arena::{Opened, table};
use crate::claims::Counted;
use crate::collector::Collector;
use crate::cpus::pin;
use crate::datapath::MapKind;
use crate::layout::{BURST, Kind, Outcome};

/// What stores, takes the bucket's lock, the element's, the stripe's or none, and what writes nothing to a live entry; the
/// arena has a table of its own.
const DISCIPLINES: [Refresh; 8] = [
    Refresh::Store,
    Refresh::ReplaceChecked,
    Refresh::HalfLifeChecked,
    Refresh::LockTagged,
    Refresh::CasTagged,
    Refresh::HalfLifeStripe,
    Refresh::StoreStripe,
    Refresh::Arena,
];
/// Flows that packets belong to.
const LIVE: u32 = 2048;
/// Flows that GC removes in a round.
const EXPIRED: u32 = 1024;
/// Room: an entry that was removed is free only some time later.
const ENTRIES: u32 = 2 * (LIVE + EXPIRED);
/// The clock, in ticks, when flows are opened that are to have expired, and otherwise.
const EARLY: u32 = 1;
const NOW: u32 = 100;
/// Of a burst: one packet each.
const FLOWS: u32 = 64;
const _: () = assert!(FLOWS as usize == BURST && LIVE.is_multiple_of(FLOWS));
/// Rounds of each kind.
const ROUNDS: usize = 100;
/// Packets have so long to themselves, in ns.
const ALONE: u64 = 300_000;
/// The lanes of the packets (the bursts of the bench have the first), and of what is put back.
const PACKETS: usize = 0;
const REFILL: usize = 1;

/// All steps of the table: each discipline beside the strategies of its own protocol.
pub fn steps<'a>(whose: Whose<'_>) -> Vec<Step<'a>> {
    let mut steps = Vec::new();
    for discipline in DISCIPLINES {
        let here = Gc::ALL.iter().filter(|gc| whose.has(gc) && gc.protocol == discipline.protocol);
        steps.extend(here.map(|gc| step(discipline, gc)));
    }
    steps
}

fn step<'a>(discipline: Refresh, strategy: &'static Strategy) -> Step<'a> {
    let map = if discipline.protocol == Protocol::Arena { MapKind::Arena } else { MapKind::Hash };
    Step {
        group: Group::Contention,
        what: format!("packets, {discipline}, beside gc {} on {map}", strategy.name),
        weight: 200_000_000,
        run: Box::new(move |clock| {
            if let Runs::OnFlowCpu(_) = strategy.runs {
                let why = "it goes to the CPU of the packets, which do not run meanwhile: nothing contends";
                return Err(Not::Here(why.into()));
            }
            let found = pair(discipline, map, strategy, clock)?;
            Ok(Measure { operation: "packet".into(), map: map.name().into(), ..found })
        }),
    }
}

/// Which CPUs packets and GC are on: as far apart as the numbers of CPUs say.
fn cpus() -> Result<(usize, usize), Not> {
    let allowed = sched_getaffinity(None).context("cannot ask which CPUs there are")?;
    let mut all = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    match (all.next(), all.next_back()) {
        (Some(first), Some(last)) => Ok((first, last)),
        _ => Err(Not::Here("there is one CPU, on which nothing contends".into())),
    }
}

/// How a round is begun and ended for both sides. They wait by turning, since to be woken takes longer than some rounds.
#[derive(Default)]
struct Course {
    /// Rounds with packets that have begun.
    begun: AtomicU32,
    /// And those that are over for the packets.
    ended: AtomicU32,
    /// GC is through with the round.
    over: AtomicBool,
    /// There are no more.
    finished: AtomicBool,
}

impl Course {
    /// Lets packets go while `work` is done.
    fn beside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.over.store(false, Relaxed);
        let round = self.begun.fetch_add(1, Release) + 1;
        let done = work();
        self.over.store(true, Release);
        while self.ended.load(Acquire) != round {
            spin_loop();
        }
        done
    }

    /// The next round of the packets; false when there is none.
    fn next(&self, round: u32) -> bool {
        while self.begun.load(Acquire) == round {
            if self.finished.load(Acquire) {
                return false;
            }
            spin_loop();
        }
        true
    }
}

/// Packets of the live flows, while there are rounds: what one takes, in each round that was long enough for a burst.
fn send(track: &Track, cpu: usize, course: &Course) -> Result<(Vec<Option<f64>>, f64), Not> {
    let ready = pin(cpu).map_err(Not::from).and_then(|()| Bursts::of(track.datapath().program()?));
    let mut sender = ready.map(|bursts| Sender { bursts, floor: u64::MAX, first: 0 });
    let mut costs = Vec::new();
    let mut round = 0;
    while course.next(round) {
        round += 1;
        if let Ok(working) = &mut sender {
            match working.round(track, course) {
                Ok(cost) => costs.push(cost),
                Err(why) => sender = Err(why),
            }
        }
        // GC waits for the end of each round, whatever became of the packets.
        course.ended.store(round, Release);
    }
    sender.map(|sender| (costs, sender.floor as f64))
}

struct Sender {
    bursts: Bursts,
    /// The least that a run without packets took.
    floor: u64,
    first: u32,
}

impl Sender {
    /// Bursts until the round is over; the last one was not wholly beside GC and does not count. Gives what a packet took.
    fn round(&mut self, track: &Track, course: &Course) -> Result<Option<f64>, Not> {
        let lanes = track.datapath().lanes();
        let (mut took, mut bursts) = (0, 0);
        loop {
            list(lanes, self.first, Kind::Data);
            self.first = (self.first + FLOWS) % LIVE;
            let burst = self.bursts.whole()?;
            let over = course.over.load(Acquire);
            must_come_of(lanes, &[Outcome::Stored, Outcome::Replaced, Outcome::Left])?;
            if over {
                break;
            }
            took += burst;
            bursts += 1;
        }
        self.floor = self.floor.min(self.bursts.none()?);
        let net = took.saturating_sub(bursts * self.floor);
        Ok((bursts > 0).then(|| net as f64 / (bursts * BURST as u64) as f64))
    }
}

/// Measures one strategy beside one discipline.
fn pair(discipline: Refresh, map: MapKind, strategy: &Strategy, clock: &Clock) -> Result<Measure, Not> {
    let (packets_on, gc_on) = cpus()?;
    let track = Track::open(discipline.name, map, ENTRIES)?;
    let datapath = track.datapath();
    datapath.set_clock(NOW);
    track.open_flows(PACKETS, 0..LIVE)?;
    let course = Course::default();
    let (sent, collected) = thread::scope(|scope| {
        let sender = scope.spawn(|| send(&track, packets_on, &course));
        let gc = scope.spawn(|| {
            let ended = collect(&track, strategy, gc_on, &course);
            course.finished.store(true, Release);
            ended
        });
        (sender.join(), gc.join())
    });
    let gone = |_| Not::Failed(anyhow!("a thread of the bench panicked"));
    // What GC says first: a strategy that is refused explains all else.
    let removals = collected.map_err(gone)??;
    let (costs, floor) = sent.map_err(gone)??;
    // In the order of the rounds: beside GC, alone, beside GC, ...
    let packets: Vec<(f64, f64)> = costs.chunks_exact(2).filter_map(|two| Some((two[0]?, two[1]?))).collect();
    if packets.is_empty() {
        return Err(Not::Here("rounds are over before a burst of packets is".into()));
    }
    let packet = summary(packets.iter().map(|(beside, _)| *beside));
    let (packet_alone, packet_ratio) = against(&packets);
    let (removal_alone, removal_ratio) = against(&removals);
    let contention = Contention {
        discipline: discipline.name.into(),
        strategy: strategy.name.into(),
        packet_alone,
        packet_ratio,
        removal: summary(removals.iter().map(|(beside, _)| *beside)).median,
        removal_alone,
        removal_ratio,
    };
    Ok(Measure {
        min: packet.min,
        median: packet.median,
        spread: packet.spread,
        n: packet.n,
        floor,
        contention: Some(contention),
        ..measure(Group::Contention, clock, &[0], 0, BURST as u64)
    })
}

/// Of pairs from neighbouring rounds: the median of the second, and that of the first over the second.
fn against(pairs: &[(f64, f64)]) -> (f64, f64) {
    let alone = summary(pairs.iter().map(|(_, alone)| *alone)).median;
    (alone, summary(pairs.iter().map(|(beside, alone)| beside / alone)).median)
}

/// Rounds of GC, each followed by one without packets and by packets without GC. Gives what a removal took, in ns, with and
/// without packets.
fn collect(track: &Track, strategy: &Strategy, cpu: usize, course: &Course) -> Result<Vec<(f64, f64)>, Not> {
    pin(cpu)?;
    let datapath = track.datapath();
    let mut collector = match track {
        Track::Arena(_) => None,
        Track::Maps(_) => Some(Collector::open(strategy, false, datapath.target("ct4")?)?),
    };
    let mut timed = || -> Result<(u64, Counted)> {
        let mut claims = Counted::default();
        let start = now();
        match (track, &mut collector) {
            (Track::Arena(Opened { table, .. }), _) => {
                table::collect(&table.0, datapath.control().now.load(Acquire), &mut claims);
            }
            (Track::Maps(_), collector) => {
                collector.as_mut().context("a map without a collector")?.round(&mut claims)?;
            }
        }
        Ok((now() - start, claims))
    };
    let mut round = |with_packets: bool| -> Result<f64, Not> {
        datapath.set_clock(EARLY);
        track.open_flows(REFILL, LIVE..LIVE + EXPIRED)?;
        datapath.set_clock(NOW);
        let (ns, claims) = if with_packets { course.beside(&mut timed)? } else { timed()? };
        if claims.removed != u64::from(EXPIRED) {
            return Err(Not::Broken(format!(
                "{} of {EXPIRED} expired entries were removed ({:?})",
                claims.removed, claims.errors
            )));
        }
        Ok(ns as f64 / f64::from(EXPIRED))
    };
    let mut removals = Vec::new();
    for _ in 0..ROUNDS {
        let beside = round(true)?;
        course.beside(|| {
            let start = now();
            while now() - start < ALONE {
                spin_loop();
            }
        });
        removals.push((beside, round(false)?));
    }
    Ok(removals)
}
