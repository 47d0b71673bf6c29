// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker: writes its own keys and deletes the others'.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use cmpdel_uapi::{Error, Map, Outcome, Window};
use cmpdel_uapi_raw::{Batch, WHOLE_ATTR};
use libbpf_rs::skel::{OpenSkel as _, SkelBuilder as _};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, OpenObject, ProgramInput};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::{Counts, Gc, Schedule, Traces};
use crate::ledger::Version;
use crate::skeletons::race::{RaceSkel, RaceSkelBuilder};

/// A race in which all entries are gone for so long will not go on: elements were lost.
const STALL: Duration = Duration::from_secs(10);

/// Where the version lies in `struct entry` of `race.bpf.c`, whose other words repeat it.
const VERSION: std::ops::Range<usize> = 8..16;

/// `struct writer` of `race.bpf.c`, in words.
const MAX_STEPS: usize = 256;
const MAX_KEYS: usize = 64;
const REMOVED_LEN: usize = 5;
const REMOVED: usize = 6;
const SEQUENCE: usize = REMOVED + MAX_STEPS + 1;
const LIVE: usize = SEQUENCE + MAX_KEYS;

/// How often a worker replaces each of its entries before it turns to deleting: this is when the others race with it.
const ROUNDS: u32 = 8;

/// Entries in a batch.
const BATCH: u32 = 16;

/// After so many keys in a row without an entry a worker gives way, and then fills in once what the others miss.
const PATIENCE: u32 = 4;

/// As `version_of()` in `race.bpf.c`.
pub fn version_of(key: u32, sequence: u64) -> Version {
    sequence << 16 | u64::from(key)
}

/// The version that an entry carries.
pub fn seen_version(entry: &[u8]) -> Version {
    entry[VERSION].try_into().map(u64::from_ne_bytes).unwrap_or_default()
}

pub struct Worker<'a> {
    schedule: &'a Schedule,
    number: u32,
    entries: &'a MapHandle,
    map: Map<'a>,
    skeleton: RaceSkel<'a>,
    /// The program's `struct writer`, as of its last run.
    state: Vec<u8>,
    claims: Vec<Version>,
    removals: Vec<Version>,
    counts: Counts,
    breaches: Vec<String>,
}

impl<'a> Worker<'a> {
    /// Loads its own program, on the CPU of its number, and writes each of its keys once.
    pub fn new(
        schedule: &'a Schedule,
        number: u32,
        entries: &'a MapHandle,
        place: &'a mut MaybeUninit<OpenObject>,
    ) -> Result<Self> {
        ensure!(schedule.keys as usize <= MAX_KEYS, "a worker has {MAX_KEYS} keys at most");
        pin(number as usize % schedule.cpus)?;
        let mut open = RaceSkelBuilder::default().open(place).context("cannot open the writer")?;
        open.maps.entries.reuse_fd(entries.as_fd()).context("cannot share the entries")?;
        let constants = open.maps.rodata_data.as_deref_mut().context("the writer has no constants")?;
        constants.first_key = number * schedule.keys;
        constants.n_keys = schedule.keys;
        let skeleton = open.load().context("cannot load the writer")?;
        let state = vec![0; skeleton.maps.writer.value_size() as usize];
        let mut worker = Self {
            schedule,
            number,
            entries,
            map: Map::new(entries.as_fd())?,
            skeleton,
            state,
            claims: Vec::new(),
            removals: Vec::new(),
            counts: Counts::default(),
            breaches: Vec::new(),
        };
        worker.write(1)?;
        Ok(worker)
    }

    /// Writes and deletes until all workers together have deleted enough.
    pub fn run(mut self, done: &AtomicU64) -> Result<Traces> {
        let start = Instant::now();
        let others = self.schedule.all_keys() - self.schedule.keys;
        let patience = PATIENCE.min(others);
        let (mut turn, mut told) = (0, 0);
        let mut last = (0, start);
        let mut rounds = ROUNDS;
        while done.load(Ordering::Relaxed) < self.schedule.deletes {
            self.write(rounds)?;
            rounds = ROUNDS;
            let mut fruitless = 0;
            let at_once = if self.batches() { BATCH } else { 1 };
            for _ in 0..others.div_ceil(at_once) {
                let first = (self.number + 1) * self.schedule.keys;
                let keys: Vec<_> =
                    (1..=at_once).map(|i| (first + (turn + i) % others) % self.schedule.all_keys()).collect();
                turn = (turn + at_once) % others;
                let all_absent = match keys[..] {
                    [key] => self.delete(key)? == Some(Outcome::Absent),
                    _ => self.delete_batch(&keys)?,
                };
                fruitless = if all_absent { fruitless + 1 } else { 0 };
                if fruitless >= patience {
                    thread::yield_now();
                    rounds = 1;
                    break;
                }
            }
            let reached = done.fetch_add(self.claims.len() as u64 - told, Ordering::Relaxed);
            told = self.claims.len() as u64;
            if reached != last.0 {
                last = (reached, Instant::now());
            } else if last.1.elapsed() > STALL {
                self.breaches.push(format!("nobody can delete any more after {reached} deletes"));
                break;
            }
            let Schedule { deletes, limit, .. } = self.schedule;
            if start.elapsed() > *limit {
                bail!("{reached} of {deletes} deletes in {} s", limit.as_secs());
            }
        }
        Ok(self.traces())
    }

    /// One run of the program, and what it found deleted.
    fn write(&mut self, rounds: u32) -> Result<()> {
        let mut steps = (self.schedule.keys * rounds).to_ne_bytes();
        let input = ProgramInput { context_in: Some(&mut steps), ..ProgramInput::default() };
        let answer = self.skeleton.progs.replace.test_run(input).context("cannot run the writer")?;
        ensure!(answer.return_value == 0, "the writer stopped half-way");
        let zero = 0_u32.to_ne_bytes();
        let found = self.skeleton.maps.writer.lookup_into(&zero, &mut self.state, MapFlags::ANY)?;
        ensure!(found, "the writer has no state");
        let removed = usize::try_from(self.word(REMOVED_LEN))?;
        for i in 0..removed {
            self.removals.push(self.word(REMOVED + i));
        }
        Ok(())
    }

    /// What became of the entry, as far as this worker knows; `None` if it did not get the lock, or worse.
    fn delete(&mut self, key: u32) -> Result<Option<Outcome>> {
        let key_bytes = key.to_ne_bytes();
        let Some(seen) = self.map.lookup(&key_bytes)? else {
            self.counts.absent += 1;
            return Ok(Some(Outcome::Absent));
        };
        let version = seen_version(&seen);
        let whole = seen.chunks_exact(8).all(|word| word == &seen[VERSION]);
        let sound = whole && version & 0xffff == u64::from(key);
        self.counts.torn += u64::from(!sound);
        let offset = u32::try_from(VERSION.start)?;
        let outcome = match self.schedule.gc {
            Gc::CompareVersion => self.map.delete_if_eq(&key_bytes, Window::at(offset, &seen[VERSION])),
            Gc::CompareWhole => self.map.delete_if_eq(&key_bytes, Window::whole(&seen)),
            Gc::LookUpCompareDelete => Ok(self.look_up_compare_delete(&key_bytes, &seen)?),
            Gc::CompareBatch | Gc::LookUpDeleteBatch => bail!("batches are deleted together"),
        };
        match &outcome {
            Ok(Outcome::Deleted) => {
                if self.schedule.gc == Gc::CompareWhole && !sound {
                    self.breaches.push(format!("key {key}: deleted with a value it never had: {seen:02x?}"));
                }
                self.claims.push(version);
            }
            Ok(Outcome::Mismatch) => self.counts.mismatches += 1,
            Ok(Outcome::Absent) => self.counts.absent += 1,
            Err(Error::Os { source, .. }) if no_lock(source) => self.counts.contended += 1,
            Err(error) => self.breaches.push(format!("key {key}: {error}")),
        }
        Ok(outcome.ok())
    }

    fn batches(&self) -> bool {
        matches!(self.schedule.gc, Gc::CompareBatch | Gc::LookUpDeleteBatch)
    }

    /// Looks entries up, and then deletes them in one call. Whether all were absent at the look-up.
    fn delete_batch(&mut self, all: &[u32]) -> Result<bool> {
        let (mut keys, mut values, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        for key in all {
            let key = key.to_ne_bytes();
            if let Some(seen) = self.map.lookup(&key)? {
                keys.extend(key);
                versions.push(seen_version(&seen));
                values.extend(seen);
            }
        }
        self.counts.absent += (all.len() - versions.len()) as u64;
        if versions.is_empty() {
            return Ok(true);
        }
        if self.schedule.gc == Gc::LookUpDeleteBatch {
            // It ends at the first key that is gone.
            let count = u32::try_from(versions.len())?;
            let said = Batch::plain(self.entries.as_fd().as_raw_fd(), &keys, count).send(WHOLE_ATTR);
            self.claims.extend(&versions[..said.count as usize]);
            return Ok(false);
        }
        let window = u32::try_from(VERSION.start)?..u32::try_from(VERSION.end)?;
        let batch = match self.map.delete_batch_if_eq(&keys, &values, window) {
            Ok(batch) => batch,
            Err(Error::Os { source, .. }) if no_lock(&source) => {
                self.counts.contended += 1;
                return Ok(false);
            }
            Err(error) => return Err(error).context("cannot delete a batch"),
        };
        for (outcome, version) in batch.outcomes.iter().zip(versions) {
            match outcome {
                Outcome::Deleted => self.claims.push(version),
                Outcome::Mismatch => self.counts.mismatches += 1,
                Outcome::Absent => self.counts.absent += 1,
            }
        }
        match batch.ended {
            Some(Error::Os { source, .. }) if no_lock(&source) => self.counts.contended += 1,
            Some(error) => self.breaches.push(format!("a batch ended with {error}")),
            None => {}
        }
        Ok(false)
    }

    fn look_up_compare_delete(&self, key: &[u8], seen: &[u8]) -> Result<Outcome> {
        match self.map.lookup(key)? {
            None => return Ok(Outcome::Absent),
            Some(now) if now != seen => return Ok(Outcome::Mismatch),
            Some(_) => {}
        }
        match self.entries.delete(key) {
            Ok(()) => Ok(Outcome::Deleted),
            Err(error) if error.kind() == libbpf_rs::ErrorKind::NotFound => Ok(Outcome::Absent),
            Err(error) => Err(error).context("cannot delete"),
        }
    }

    fn traces(mut self) -> Traces {
        let [inserted, replaced, full, contended, unexpected] = [0, 1, 2, 3, 4].map(|i| self.word(i));
        if unexpected > 0 {
            self.breaches.push(format!("{unexpected} updates failed with an errno they never have"));
        }
        let own = 0..self.schedule.keys as usize;
        let keys = own.map(|slot| (self.word(SEQUENCE + slot), self.word(LIVE + slot) != 0)).collect();
        let mut counts = self.counts;
        counts.add(&Counts { inserted, replaced, full, contended, ..Counts::default() });
        Traces { claims: self.claims, removals: self.removals, keys, counts, breaches: self.breaches }
    }

    /// A word of the program's state; 0 beyond its end.
    fn word(&self, index: usize) -> u64 {
        let bytes = self.state.get(index * 8..index * 8 + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u64::from_ne_bytes).unwrap_or_default()
    }
}

fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))
}

fn no_lock(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EDEADLK | libc::ETIMEDOUT))
}
