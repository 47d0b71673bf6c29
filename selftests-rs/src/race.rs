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
    /// Look up, look up again and compare, then delete by key: what user space can do without the series.
    LookUpCompareDelete,
}

/// A race to run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    pub gc: Gc,
    /// Keys that each worker writes, 64 at most. The map has room for these and no more.
    pub keys: u32,
    /// Flags of the map.
    pub flags: u32,
    /// Successful deletes to reach.
    pub deletes: u64,
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
}

/// What happened.
#[derive(Debug, Default)]
pub struct Report {
    pub settlement: Settlement,
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
        write!(f, " ({} removals unclaimed); {} mismatches, {} absent", s.unclaimed, c.mismatches, c.absent)?;
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
    let mut report = Report { elapsed: start.elapsed(), ..Report::default() };
    report.close(schedule, &entries, traces)?;
    Ok(report)
}

/// The map raced for: entries as `struct entry` of `race.bpf.c`.
fn entries(schedule: &Schedule) -> Result<MapHandle> {
    let fd = map_create(&Create {
        map_type: abi::BPF_MAP_TYPE_HASH,
        key_size: 4,
        value_size: 56,
        max_entries: schedule.all_keys(),
        flags: schedule.flags,
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
        self.settlement.is_clean() && self.breaches.is_empty()
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
        self.breaches.extend(aftermath::check(map, schedule.all_keys(), usize::try_from(left)?)?);
        Ok(())
    }
}
