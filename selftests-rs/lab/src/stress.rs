// SPDX-License-Identifier: MIT OR Apache-2.0
//! Free running: a thread on each CPU sends the packets of its own flows through the datapath, one thread collects, and
//! the clock runs so fast that many a packet meets an entry that has expired and is about to go.

use std::collections::HashMap;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use approaches::Strategy;
use cmpdel_uapi_raw::{Elements, Errno, Snapshot};
use results::races::Stress;
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::collector::{Claims, Collector};
use crate::datapath::{Datapath, Handled, MapKind, Packet, flow_of};
use crate::layout::{BURST, Fate, Kind, Outcome, TICK};
use crate::load::Denied;
use crate::oracle::{Oracle, Settled};

/// Flows of each thread. A burst touches an eighth of them, and an entry lives for eight ticks of one burst: about a third
/// of all packets come after their entry's time.
pub const FLOWS: u32 = 512;

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
    /// For a cell in which the model finds nothing: it is tried until it has been tried enough. With three types of map,
    /// that makes ten million refreshes for each pair of discipline and strategy.
    pub const FULL: Self = Self {
        refreshes: 3_400_000,
        enough: 20,
        least: Duration::from_millis(500),
        most: Duration::from_secs(90),
    };
    /// For a cell in which the model finds something, which the witness has to show: here it is about how often.
    pub const SHOW: Self = Self {
        refreshes: 10_000_000,
        enough: 20,
        least: Duration::from_millis(500),
        most: Duration::from_millis(1500),
    };
    /// The first, in a run that is part of the tests.
    pub const QUICK: Self = Self { refreshes: 200_000, most: Duration::from_secs(5), ..Self::FULL };
    /// The second, in a run that is part of the tests.
    pub const GLANCE: Self =
        Self { least: Duration::from_millis(100), most: Duration::from_millis(250), ..Self::SHOW };
}

/// Entries that a map needs, for nothing live to be evicted and as few spare elements as possible.
pub fn entries(map: MapKind, cpus: usize) -> u32 {
    let flows = FLOWS * u32::try_from(cpus).unwrap_or(1);
    // An LRU map keeps free elements in a list for each CPU and evicts when one is empty.
    if map == MapKind::LruHash { flows * 4 } else { flows }
}

/// Runs `strategy` against a datapath whose map is empty.
///
/// # Errors
/// [`Denied`].
pub fn run(
    datapath: &Datapath,
    strategy: &Strategy,
    grace: bool,
    cpus: usize,
    plan: Plan,
) -> Result<Stress, Denied> {
    let mut collector = Collector::open(strategy, grace, datapath.target("ct4")?)?;
    Ok(drive(datapath, cpus, plan, || contents(datapath), |claims| collector.round(claims))?)
}

/// Runs the datapath on all CPUs against a collector of which `round` is one round. `contents` are the flows and lifetimes
/// in the table, which is empty now.
///
/// # Errors
/// What makes the run void.
pub fn drive(
    datapath: &Datapath,
    cpus: usize,
    plan: Plan,
    contents: impl Fn() -> Result<HashMap<u32, u32>>,
    mut round: impl FnMut(&mut dyn Claims) -> Result<()> + Send,
) -> Result<Stress> {
    datapath.set_clock(1);
    let shared = Shared::default();
    let began = Instant::now();
    let (oracles, mut gc) = thread::scope(|scope| -> Result<_> {
        let senders: Vec<_> = (0..cpus)
            .map(|cpu| {
                scope.spawn({
                    let shared = &shared;
                    move || shared.until_stopped(send(datapath, cpu, shared))
                })
            })
            .collect();
        let gc = scope.spawn(|| shared.until_stopped(collect(&mut round, &shared)));
        watch(&shared, began, plan);
        let senders: Result<Vec<_>> = senders.into_iter().map(joined).collect();
        Ok((senders?, joined(gc)?))
    })?;
    let seconds = began.elapsed().as_secs_f64();

    let left = contents()?;
    let now = &datapath.control().now;
    let clock = now.load(SeqCst);
    // All have expired by then; two rounds, as a collector has every other one too, each with its own period.
    for _ in 0..2 {
        now.fetch_add(4 * datapath.settings().timeout * TICK, SeqCst);
        round(&mut gc).context("a round without traffic failed")?;
    }
    let over = contents()?.len() as u64;

    let deletes = gc.removed;
    let nobody = HashMap::new();
    let mut parts = vec![gc.oracle.settle(clock, &nobody, over)];
    parts.extend(oracles.into_iter().map(|oracle| oracle.settle(clock, &left, 0)));
    let settled = Settled::join(parts);
    let mut errors = gc.errors;
    if settled.failed > 0 {
        errors.insert("datapath updates".into(), settled.failed);
    }
    Ok(Stress {
        packets: settled.packets,
        refreshes: settled.refreshes,
        deletes,
        violations: settled.violations,
        seconds,
        errors,
        ..Stress::default()
    })
}

/// Removes all entries, whoever they are of.
///
/// # Errors
/// The kernel's.
pub fn clear(datapath: &Datapath) -> Result<()> {
    for table in datapath.tables()? {
        let elements = Elements::new(table.as_fd()).context("cannot use the map under test")?;
        let mut snapshot = Snapshot::default();
        loop {
            let next = elements.look_up_batch(None, 16 * FLOWS, &mut snapshot);
            next.map_err(|errno| anyhow!("cannot list the entries to remove: {errno}"))?;
            if snapshot.count == 0 {
                break;
            }
            for (key, _) in snapshot.entries(&elements) {
                match elements.delete(key) {
                    // A timer was faster.
                    Ok(()) | Err(Errno(libc::ENOENT)) => {}
                    Err(errno) => return Err(anyhow!("cannot remove an entry: {errno}")),
                }
            }
        }
    }
    Ok(())
}

/// What the threads tell each other.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    refreshes: AtomicU64,
    violations: AtomicU64,
}

impl Shared {
    /// A thread that failed ends the run.
    fn until_stopped<T>(&self, ended: Result<T>) -> Result<T> {
        self.stop.store(true, Relaxed);
        ended
    }
}

fn watch(shared: &Shared, began: Instant, plan: Plan) {
    while !shared.stop.load(Relaxed) {
        thread::sleep(Duration::from_millis(5));
        let (ran, seen) = (began.elapsed(), shared.violations.load(Relaxed));
        let enough = seen >= plan.enough && ran >= plan.least;
        let tried = shared.refreshes.load(Relaxed) >= plan.refreshes;
        if enough || tried || ran >= plan.most {
            shared.stop.store(true, Relaxed);
        }
    }
}

/// The packets of one CPU's flows. A flow that was dropped opens again with its next packet.
fn send(datapath: &Datapath, cpu: usize, shared: &Shared) -> Result<Oracle> {
    pin(cpu)?;
    let base = FLOWS * u32::try_from(cpu)?;
    let mut random = fastrand::Rng::with_seed(cpu as u64 + 1);
    let mut out = vec![true; FLOWS as usize];
    let mut oracle = Oracle::default();
    let mut packets = Vec::with_capacity(BURST);
    while !shared.stop.load(Relaxed) {
        packets.clear();
        packets.extend((0..BURST).map(|_| {
            let flow = random.u32(..FLOWS);
            let kind = if out[flow as usize] { Kind::Open } else { Kind::Data };
            Packet { flow: base + flow, kind }
        }));
        let before = (oracle.refreshes(), oracle.violations());
        datapath.burst(cpu, &packets, |handled: Handled| {
            let flow = handled.packet.flow - base;
            out[flow as usize] = handled.outcome == Outcome::Missed;
            oracle.packet(&handled);
        })?;
        shared.refreshes.fetch_add(oracle.refreshes() - before.0, Relaxed);
        shared.violations.fetch_add(oracle.violations() - before.1, Relaxed);
        if cpu == 0 {
            datapath.tick();
        }
    }
    Ok(oracle)
}

fn collect(round: &mut impl FnMut(&mut dyn Claims) -> Result<()>, shared: &Shared) -> Result<Gc> {
    let mut gc = Gc::default();
    while !shared.stop.load(Relaxed) {
        round(&mut gc)?;
    }
    Ok(gc)
}

/// What the collector claims.
#[derive(Default)]
struct Gc {
    oracle: Oracle,
    removed: u64,
    errors: std::collections::BTreeMap<String, u64>,
}

impl Claims for Gc {
    fn claim(&mut self, key: &[u8], _: u32, fate: Fate) {
        if fate == Fate::Removed {
            self.removed += 1;
            self.oracle.claimed(flow_of(key));
        }
    }

    fn error(&mut self, errno: Errno) {
        *self.errors.entry(errno.to_string()).or_default() += 1;
    }

    fn dropped(&mut self, entries: u64) {
        self.removed += entries;
    }
}

/// Flows and lifetimes in the map.
fn contents(datapath: &Datapath) -> Result<HashMap<u32, u32>> {
    let mut found = HashMap::new();
    for table in datapath.tables()? {
        let elements = Elements::new(table.as_fd()).context("cannot use the map under test")?;
        let mut snapshot = Snapshot::default();
        let next = elements.look_up_batch(None, 16 * FLOWS, &mut snapshot);
        next.map_err(|errno| anyhow!("cannot read the map after the run: {errno}"))?;
        for (key, value) in snapshot.entries(&elements) {
            found.entry(flow_of(key)).or_insert_with(|| datapath.promised(value));
        }
    }
    Ok(found)
}

/// Puts this thread on one CPU.
///
/// # Errors
/// The kernel's.
pub fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().map_err(|_| anyhow!("a thread of the run panicked"))?
}
