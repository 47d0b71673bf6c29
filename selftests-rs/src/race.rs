// SPDX-License-Identifier: MIT OR Apache-2.0
//! One schedule for every way to delete. Each CPU has workers that in turn replace the entries of their own keys, by a
//! program's `bpf_map_update_elem()`, and delete entries of the others' that they looked up. What was deleted wrongly is
//! settled afterwards (see [`crate::ledger`]).

mod aftermath;
mod worker;

use std::fmt;
use std::os::fd::AsFd as _;
use std::sync::Barrier;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use cmpdel_uapi::Map;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Create, map_create};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::ledger::{Settlement, Version, settle};
use worker::{Worker, version_of};

/// How entries are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gc {
    /// Look up, then delete if the version is still the one seen.
    CompareVersion,
    /// The same with all bytes of the value.
    CompareWhole,
    /// Look many up, then delete those of them whose version is still the one seen, in one call.
    CompareBatch,
    /// Look up, look up again and compare, then delete by key: what user space can do without the series.
    LookUpCompareDelete,
    /// Look many up, then delete them by key in one call.
    LookUpDeleteBatch,
}

/// The map that is raced for.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    pub map_type: u32,
    pub flags: u32,
    /// How much room it has.
    pub room: Room,
}

/// How much room a map has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// For the keys of all workers and no more: what is deleted is used again at once, and what is lost shows.
    Exact,
    /// So much that an LRU map evicts nothing, although its free elements lie about on all CPUs.
    Ample,
    /// For half of the keys: an LRU map evicts all the time.
    Scarce,
}

impl Ground {
    /// A hash map.
    pub fn hash(flags: u32) -> Self {
        Self { map_type: abi::BPF_MAP_TYPE_HASH, flags, room: Room::Exact }
    }

    /// An LRU hash map.
    pub fn lru(flags: u32, room: Room) -> Self {
        Self { map_type: abi::BPF_MAP_TYPE_LRU_HASH, flags, room }
    }

    pub fn is_lru(self) -> bool {
        self.map_type == abi::BPF_MAP_TYPE_LRU_HASH
    }
}

/// A race to run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    pub gc: Gc,
    /// The map.
    pub ground: Ground,
    /// Keys that each worker writes, 64 at most.
    pub keys: u32,
    /// Successful deletes to reach.
    pub deletes: u64,
    /// A race that has not done them by then cannot be judged.
    pub limit: Duration,
    pub cpus: usize,
}

/// With two on a CPU, there is something to delete also while the host has taken the other CPUs away.
const WORKERS_PER_CPU: usize = 2;

impl Schedule {
    fn workers(&self) -> u32 {
        u32::try_from(self.cpus * WORKERS_PER_CPU).unwrap_or(u32::MAX)
    }

    fn all_keys(&self) -> u32 {
        self.workers() * self.keys
    }

    fn max_entries(&self) -> u32 {
        match self.ground.room {
            Room::Exact => self.all_keys(),
            Room::Ample => self.all_keys() * 4 + 1024,
            Room::Scarce => self.all_keys() / 2,
        }
    }

    /// Whether entries go that nobody deleted.
    fn evicts(&self) -> bool {
        self.ground.room == Room::Scarce
    }
}

/// What happened.
#[derive(Debug, Default)]
pub struct Report {
    pub settlement: Settlement,
    /// Whether entries go that nobody deleted, so that removals without a claim are evictions.
    pub evicts: bool,
    pub counts: Counts,
    /// Promises broken beside those of the settlement.
    pub breaches: Vec<String>,
    elapsed: Duration,
}

/// What the workers met.
#[derive(Debug, Default)]
pub struct Counts {
    pub mismatches: u64,
    absent: u64,
    /// Look-ups that saw an element while it was given to another entry.
    torn: u64,
    pub replaced: u64,
    inserted: u64,
    /// No element was free at that moment.
    full: u64,
    /// Updates and deletes that did not get the bucket lock (`-EDEADLK`, `-ETIMEDOUT`).
    contended: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.mismatches += other.mismatches;
        self.absent += other.absent;
        self.torn += other.torn;
        self.replaced += other.replaced;
        self.inserted += other.inserted;
        self.full += other.full;
        self.contended += other.contended;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settlement: s, counts: c, elapsed, .. } = self;
        write!(
            f,
            "{} deletes of the expected version, {} of a newer one",
            s.exact,
            s.false_deletes + s.doubled
        )?;
        let unclaimed = if self.evicts { "evictions" } else { "removals unclaimed" };
        write!(f, " ({} {unclaimed}); {} mismatches, {} absent", s.unclaimed, c.mismatches, c.absent)?;
        write!(f, ", {} torn look-ups; {} inserts, {} replacements", c.torn, c.inserted, c.replaced)?;
        write!(f, "; {} without the bucket lock, {} without an element", c.contended, c.full)?;
        write!(f, "; {:.1} s", elapsed.as_secs_f64())
    }
}

/// What a worker leaves when all is done.
#[derive(Default)]
struct Traces {
    claims: Vec<Version>,
    removals: Vec<Version>,
    /// For each of its keys the number of versions written, and whether it believes the last one to be there.
    keys: Vec<(u64, bool)>,
    counts: Counts,
    breaches: Vec<String>,
}

/// Runs a race to its end.
pub fn run(schedule: &Schedule) -> Result<Report> {
    let entries = entries(schedule)?;
    let done = AtomicU64::new(0);
    let ready = Barrier::new(schedule.workers() as usize);
    let start = Instant::now();
    let traces = thread::scope(|scope| {
        let threads: Vec<_> = (0..schedule.workers())
            .map(|number| {
                let (entries, done, ready) = (&entries, &done, &ready);
                scope.spawn(move || {
                    let mut place = std::mem::MaybeUninit::uninit();
                    let worker = Worker::new(schedule, number, entries, &mut place);
                    // All wait for all, or one that failed would leave the others waiting.
                    ready.wait();
                    worker?.run(done)
                })
            })
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a worker panicked")))
        };
        threads.into_iter().map(join).collect::<Vec<_>>()
    });
    let traces = traces.into_iter().collect::<Result<Vec<Traces>>>()?;
    let mut report = Report { elapsed: start.elapsed(), evicts: schedule.evicts(), ..Report::default() };
    report.close(schedule, &entries, traces)?;
    Ok(report)
}

/// The map raced for: entries as `struct entry` of `race.bpf.c`.
fn entries(schedule: &Schedule) -> Result<MapHandle> {
    let fd = map_create(&Create {
        map_type: schedule.ground.map_type,
        key_size: 4,
        value_size: 56,
        max_entries: schedule.max_entries(),
        flags: schedule.ground.flags,
        // The name under which the program knows it: libbpf insists.
        name: "entries",
        ..Create::default()
    })
    .context("cannot make the map to race for")?;
    let id = Map::new(fd.as_fd())?.info().id;
    MapHandle::from_map_id(id).context("cannot open the map to race for")
}

impl Report {
    pub fn is_clean(&self) -> bool {
        let Settlement { exact: _, false_deletes, doubled, unclaimed } = self.settlement;
        (false_deletes, doubled) == (0, 0) && (unclaimed == 0 || self.evicts) && self.breaches.is_empty()
    }

    /// Settles who deleted what, and looks at what the race left behind.
    fn close(&mut self, schedule: &Schedule, map: &MapHandle, traces: Vec<Traces>) -> Result<()> {
        let (mut claims, mut removals) = (Vec::new(), Vec::new());
        let (mut versions, mut left) = (0, 0);
        for (key, (sequence, live)) in (0..).zip(traces.iter().flat_map(|worker| worker.keys.iter().copied()))
        {
            versions += sequence;
            let last = version_of(key, sequence);
            match map.lookup(&key.to_ne_bytes(), MapFlags::ANY)?.map(|entry| worker::seen_version(&entry)) {
                Some(seen) if live && seen == last => left += 1,
                Some(seen) => {
                    self.breaches.push(format!("key {key} holds {seen:#x}, last written {last:#x}"));
                }
                None if live => removals.push(last),
                None => {}
            }
        }
        for worker in traces {
            claims.extend(worker.claims);
            removals.extend(worker.removals);
            self.counts.add(&worker.counts);
            self.breaches.extend(worker.breaches);
        }
        self.breaches.dedup();
        let gone = removals.len() as u64;
        self.settlement = settle(claims, removals);
        // Each version was replaced, deleted or is there.
        let Counts { inserted, replaced, .. } = self.counts;
        if (inserted + replaced, inserted) != (versions, gone + left) {
            self.breaches.push(format!(
                "{versions} versions, {inserted} inserted, {replaced} replaced, {gone} gone, {left} left"
            ));
        }
        self.breaches.extend(aftermath::check(map, schedule, usize::try_from(left)?)?);
        Ok(())
    }
}
