// SPDX-License-Identifier: MIT OR Apache-2.0
//! Free running: a thread on each CPU sends the packets of its own flows through the datapath, one thread collects, and
//! the clock runs so fast that many a packet meets an entry that has expired and is about to go. An LRU map is full before the
//! first packet and is kept full, so that it evicts. A run may be made worse than its cell's claim has it: see [`Circumstance`].

mod agent;
mod filler;
mod table;
mod traffic;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use approaches::{Column, Gc, MapKind, Protocol};
use cmpdel_uapi_raw::Errno;
use results::races::{Circumstance, Stress};

use crate::claims::Claims;
use crate::clock::monotonic;
use crate::collector::Collector;
use crate::datapath::Datapath;
use crate::layout::{Fate, TICK};
use crate::load::Denied;
use crate::oracle::{Left, Oracle, Settled};
use crate::value::flow_of;
use agent::Agent;
use filler::Filler;
use traffic::Traffic;

pub use table::{clear, contents};

/// Flows of each thread. A burst touches an eighth of them, and an entry lives for eight ticks of one burst: about a third
/// of all packets come after their entry's time.
pub const FLOWS: u32 = 512;

/// The clock must not come round.
const LAST_TICK: u32 = u32::MAX / TICK - 4096;

/// For a collector to remove something.
const PATIENCE: Duration = Duration::from_secs(20);

/// In so long a table of an RHASH map is resized, more or less.
const RESIZED: Duration = Duration::from_millis(2);

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Refreshes after which a cell without a violation has been tried enough.
    pub refreshes: u64,
    /// Violations after which there is no need to go on.
    pub enough: u64,
    /// At least so long, so that a rate means something.
    pub least: Duration,
    /// At most so long.
    pub most: Duration,
}

impl Plan {
    /// For a cell in which the model finds nothing: it is tried until it has been tried enough.
    pub const FULL: Self = Self {
        refreshes: 10_000_000,
        enough: 20,
        least: Duration::from_millis(500),
        most: Duration::from_secs(90),
    };
    /// For a cell in which the model finds something, which the witness has to show: here it is about how often.
    pub const SHOW: Self = Self {
        refreshes: 10_000_000,
        enough: 20,
        least: Duration::from_millis(150),
        most: Duration::from_millis(300),
    };
    /// For a circumstance that is worse than the claim.
    pub const DISTURB: Self =
        Self { enough: 5, least: Duration::from_millis(100), most: Duration::from_millis(600), ..Self::SHOW };
    /// The first, in a run that is part of the tests.
    pub const QUICK: Self = Self { refreshes: 200_000, most: Duration::from_secs(5), ..Self::FULL };
    /// The second, in a run that is part of the tests.
    pub const GLANCE: Self =
        Self { least: Duration::from_millis(60), most: Duration::from_millis(150), ..Self::SHOW };
    /// The first, on the kernel of somebody who wants to see for himself: as much as a second takes.
    pub const HERE: Self = Self { most: Duration::from_millis(800), ..Self::FULL };
    /// A turn of a cell among many that run at the same time.
    pub const TURN: Self = Self {
        refreshes: u64::MAX,
        enough: u64::MAX,
        least: Duration::from_secs(2),
        most: Duration::from_secs(2),
    };
    /// The first, on a kernel that has all the time: with none in so many, fewer than 1 in 10^7 with some room (95 %).
    pub const LONG: Self = Self { refreshes: 101_000_000, most: Duration::from_secs(300), ..Self::FULL };

    /// Whether there is time and reason for another run after one that came to this.
    fn goes_on(&self, so_far: &Stress) -> bool {
        so_far.violations.total() < self.enough
            && so_far.refreshes < self.refreshes
            && so_far.seconds < self.most.as_secs_f64()
            && so_far.deletes > 0
    }
}

/// Flows of a run.
pub fn flows(cpus: usize) -> u32 {
    FLOWS * u32::try_from(cpus).unwrap_or(1)
}

/// Entries that a map needs, for nothing live to be in the way of anything else and as few spare elements as possible.
pub fn entries(map: MapKind, cpus: usize) -> u32 {
    let flows = flows(cpus);
    // An LRU map keeps free elements in a list for each CPU and evicts when one is empty.
    match map {
        MapKind::LruHash => flows * 4,
        // An element that was just unlinked counts for a moment longer.
        MapKind::HashNoPrealloc | MapKind::Rhash => flows + 64,
        MapKind::Hash | MapKind::Arena => flows,
    }
}

/// What is run.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// A datapath, whose map is emptied first.
    pub datapath: &'a Datapath,
    /// The strategy.
    pub gc: Column,
    /// CPUs to use.
    pub cpus: usize,
    /// For how long.
    pub plan: Plan,
    /// What is worse than the cell's claim has it.
    pub circumstance: Option<Circumstance>,
}

/// Runs it, again and again if it ends before its time because the clock would come round.
///
/// # Errors
/// [`Denied`].
pub fn run(run: &Run<'_>) -> Result<Stress, Denied> {
    let mut all = once(run)?;
    while run.plan.goes_on(&all) {
        all.add(&once(run)?);
    }
    Ok(all)
}

fn once(run: &Run<'_>) -> Result<Stress, Denied> {
    clear(run.datapath)?;
    let target = run.datapath.target("ct4")?;
    let mut first = Collector::open(&run.gc, run.gc.grace, target)?;
    let mut second = match run.circumstance {
        Some(Circumstance::TwoCollectors) => Some(Collector::open(&run.gc, run.gc.grace, target)?),
        Some(Circumstance::HandDeletes) => Some(Collector::open(&Gc::Blind, false, target)?),
        _ => None,
    };
    let mut rounds: Vec<Round<'_>> = vec![Box::new(|claims| first.round(claims))];
    if let Some(second) = &mut second {
        rounds.push(Box::new(|claims| second.round(claims)));
    }
    drive(run, || contents(run.datapath, flows(run.cpus)), rounds)
}

/// One round of a collector.
pub type Round<'a> = Box<dyn FnMut(&mut dyn Claims) -> Result<()> + Send + 'a>;

/// Runs the datapath on all CPUs against collectors. `contents` are the flows in the table, which is empty now.
///
/// # Errors
/// What makes the run void; [`Denied::Refused`] where an agent is refused.
pub fn drive(
    run: &Run<'_>,
    contents: impl Fn() -> Result<HashMap<u32, Left>>,
    mut rounds: Vec<Round<'_>>,
) -> Result<Stress, Denied> {
    let datapath = run.datapath;
    datapath.set_clock(1);
    let evicts = run.gc.is_tried_with_evictions(datapath.settings().map);
    let oracle = if evicts { Oracle::of_evicting() } else { Oracle::default() };
    let agent = Agent::of(run.circumstance, datapath, run.gc.protocol == Protocol::Lock)?;
    let moves = run.circumstance == Some(Circumstance::Spread);
    let rests = run.gc.grace;
    let traffic = Traffic::new(datapath, run.cpus, &oracle, traffic::Habits { moves, rests }, agent)?;
    let shared = Shared::default();
    let filler = if evicts { Some(Filler::of(datapath)?) } else { None };
    let began = Instant::now();
    let (mut gcs, filled) = thread::scope(|scope| -> Result<_> {
        let shared = &shared;
        let traffic = &traffic;
        let senders: Vec<_> = (0..run.cpus)
            .map(|cpu| scope.spawn(move || shared.until_stopped(traffic.send(cpu, shared))))
            .collect();
        let filler = filler.map(|filler| {
            let last = run.cpus.saturating_sub(1);
            scope.spawn(move || shared.until_stopped(filler.fill(last, &shared.stop)))
        });
        let gcs: Vec<_> = rounds
            .iter_mut()
            .map(|round| {
                let gc = Claimed { oracle: oracle.clone(), ..Claimed::default() };
                scope.spawn(move || shared.until_stopped(collect(round, gc, shared)))
            })
            .collect();
        watch(shared, began, run.plan, datapath);
        for sender in senders {
            joined(sender)?;
        }
        let filled = filler.map(joined).transpose()?.unwrap_or(0);
        Ok((gcs.into_iter().map(joined).collect::<Result<Vec<_>>>()?, filled))
    })?;
    let seconds = began.elapsed().as_secs_f64();

    // What is removed once there is no traffic says nothing of a race.
    let deletes = gcs.iter().map(|gc| gc.removed).sum();
    let left = contents()?;
    let (now, at) = (&datapath.control().now, monotonic());
    let clock = now.load(SeqCst);
    // All have expired by then; more than one round, as a collector has every other one too. A round may leave entries of an
    // RHASH map out while the table is resized.
    let (rounds_left, pause) =
        if datapath.settings().map == MapKind::Rhash { (12, RESIZED) } else { (3, Duration::ZERO) };
    for _ in 0..rounds_left {
        now.fetch_add(4 * datapath.settings().timeout * TICK, SeqCst);
        for (round, gc) in rounds.iter_mut().zip(&mut gcs) {
            round(gc).context("a round without traffic failed")?;
        }
        thread::sleep(pause);
    }
    let over = contents()?.len() as u64;

    let nobody = HashMap::new();
    let mut stress = Stress { seconds, deletes, ..Stress::default() };
    let mut parts = Vec::new();
    for gc in gcs {
        for (errno, count) in gc.errors {
            *stress.errors.entry(errno).or_default() += count;
        }
        parts.push(gc.oracle.settle(clock, at, &nobody, if parts.is_empty() { over } else { 0 }));
    }
    for group in traffic.end()? {
        stress.opens += group.opens;
        stress.opens_refused += group.refused;
        let part = group.oracle.settle(clock, at, &left, 0);
        stress.followed.push(part.followed);
        parts.push(part);
    }
    let settled = Settled::join(parts);
    if settled.failed > 0 {
        stress.errors.insert("datapath: nothing could be done for a packet".into(), settled.failed);
    }
    (stress.map_bytes, stress.map_entries) = datapath.memory()?;
    Ok(Stress {
        packets: settled.packets,
        refreshes: settled.refreshes,
        violations: settled.violations,
        evicted_live: settled.evicted_live,
        undecided: settled.undecided,
        evicted: filled.saturating_sub(stress.map_entries),
        ..stress
    })
}

/// What the threads tell each other.
#[derive(Default)]
pub struct Shared {
    stop: AtomicBool,
    refreshes: AtomicU64,
    violations: AtomicU64,
    removed: AtomicU64,
    /// Rounds that the collectors have ended.
    rounds: AtomicU64,
}

impl Shared {
    /// A thread that failed ends the run.
    fn until_stopped<T>(&self, ended: Result<T>) -> Result<T> {
        self.stop.store(true, Relaxed);
        ended
    }
}

fn watch(shared: &Shared, began: Instant, plan: Plan, datapath: &Datapath) {
    while !shared.stop.load(Relaxed) {
        thread::sleep(Duration::from_millis(5));
        let (ran, seen) = (began.elapsed(), shared.violations.load(Relaxed));
        let enough = seen >= plan.enough && ran >= plan.least;
        // Without a removal nothing was tried, however slow the machine is.
        let removed = shared.removed.load(Relaxed) > 0;
        let tried = shared.refreshes.load(Relaxed) >= plan.refreshes && removed;
        let over = ran >= plan.most && (removed || ran >= PATIENCE.max(plan.most));
        let clock = datapath.control().now.load(Relaxed) / TICK;
        if enough || tried || over || clock >= LAST_TICK {
            shared.stop.store(true, Relaxed);
        }
    }
}

fn collect(round: &mut Round<'_>, mut gc: Claimed, shared: &Shared) -> Result<Claimed> {
    while !shared.stop.load(Relaxed) {
        let before = gc.removed;
        let now = monotonic();
        gc.last = (now, now);
        round(&mut gc)?;
        shared.removed.fetch_add(gc.removed - before, Relaxed);
        shared.rounds.fetch_add(1, Relaxed);
    }
    Ok(gc)
}

/// What a collector claims.
#[derive(Default)]
struct Claimed {
    oracle: Oracle,
    removed: u64,
    /// When it last said that something was done, and when whatever that was had begun. What it removes next, it removes after
    /// that; removals that were done at one time are of one batch.
    last: (u64, u64),
    errors: std::collections::BTreeMap<String, u64>,
}

impl Claims for Claimed {
    fn claim(&mut self, key: &[u8], lifetime: u32, fate: Fate, done: u64) {
        // A program says it of removals alone.
        if done > self.last.1 {
            self.last = (self.last.1, done);
        }
        if fate == Fate::Removed {
            self.removed += 1;
            self.oracle.claimed(flow_of(key), lifetime, self.last.0..=done);
        }
    }

    fn dropped(&mut self, entries: u64) {
        self.removed += entries;
    }

    fn error(&mut self, errno: Errno) {
        *self.errors.entry(errno.to_string()).or_default() += 1;
    }
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().map_err(|_| anyhow!("a thread of the run panicked"))?
}
