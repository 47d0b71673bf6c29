// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map that user space fills, reads and empties by system calls, single and in batches. Afterwards it has to be empty, with
//! the memory and the room that it had: an element that is not given back shows here first.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use cmpdel_uapi::{Map, Outcome, Window};
use cmpdel_uapi_raw::{Batch, Create, Elements, Errno, Snapshot, WHOLE_ATTR, map_create};

use super::Compares;
use super::board::Page;
use super::worker::Worker;
use crate::datapath::{MapKind, Prepare as _, memory_of};
use crate::load::Denied;

/// Entries of a turn.
const ENTRIES: u32 = 1024;
/// Those that are deleted by one call each.
const SINGLE: usize = 64;
/// What a map has room for that is not to be full: a leak has far to go.
const ROOMY: u32 = 1 << 20;
/// An LRU map keeps free elements for each CPU, and evicts when those are gone.
const SPARE: u32 = 64;

const KEY: usize = 4;
const VALUE: usize = 16;
/// The bytes that are compared.
const WINDOW: std::ops::Range<u32> = 8..16;

const PAUSE: Duration = Duration::from_millis(20);

/// A map, and what of it is asked.
pub struct Churn {
    fd: OwnedFd,
    map: MapKind,
    compares: Compares,
    turn: u64,
}

impl Churn {
    /// Makes the map.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(map: MapKind, compares: Compares) -> Result<Self, Denied> {
        let (map_type, flags) = map.abi()?;
        let max_entries = match map {
            MapKind::HashNoPrealloc => ROOMY,
            MapKind::LruHash => ENTRIES * SPARE,
            _ => ENTRIES,
        };
        let create = Create {
            map_type,
            flags,
            max_entries,
            key_size: u32::try_from(KEY).context("keys of that size")?,
            value_size: u32::try_from(VALUE).context("values of that size")?,
            name: "soak_churn",
            ..Create::default()
        };
        let fd = map_create(&create).context("cannot make a map")?;
        Ok(Self { fd, map, compares, turn: 0 })
    }

    fn keys(&self) -> Vec<u8> {
        (0..ENTRIES).flat_map(u32::to_ne_bytes).collect()
    }

    /// Each turn has values of its own.
    fn values(&self, salt: u64) -> Vec<u8> {
        let word = |number: u32| u64::from(number).wrapping_add(self.turn << 32).wrapping_add(salt);
        (0..ENTRIES).flat_map(|number| [0; 8].into_iter().chain(word(number).to_ne_bytes())).collect()
    }

    fn fill(&self, keys: &[u8], values: &[u8], page: &Page) -> Result<()> {
        let batch = Batch::plain(self.fd.as_raw_fd(), keys, ENTRIES).updating(values).send(WHOLE_ATTR);
        page.lost("room for entries", (ENTRIES - batch.count).into());
        match batch.answer {
            Ok(()) | Err(Errno(libc::E2BIG)) => {}
            Err(errno) => bail!("cannot fill a map: {errno}"),
        }
        page.did("entries made", batch.count.into());
        if self.map == MapKind::Hash {
            let one_more =
                Elements::new(self.fd.as_fd())?.update(&ENTRIES.to_ne_bytes(), &values[..VALUE], 0);
            page.lost("refusals of a full map", u64::from(one_more != Err(Errno(libc::E2BIG))));
            page.did("refused by a full map", 1);
        }
        Ok(())
    }

    /// How many entries there are.
    fn count(&self) -> Result<u32> {
        let elements = Elements::new(self.fd.as_fd())?;
        let (mut position, mut snapshot, mut count) = (None, Snapshot::default(), 0);
        loop {
            let next = elements.look_up_batch(position.as_ref(), 2 * ENTRIES, &mut snapshot);
            position = next.context("cannot read a map")?;
            count += u32::try_from(snapshot.count).context("entries of a map")?;
            if position.is_none() {
                return Ok(count);
            }
        }
    }

    /// Those that differ are kept, those that do not go.
    fn compare(&self, keys: &[u8], values: &[u8], page: &Page) -> Result<()> {
        let (map, other) = (Map::new(self.fd.as_fd())?, self.values(1 << 48));
        let window = WINDOW.start as usize..WINDOW.end as usize;
        let entry = |n: usize| (&keys[KEY * n..KEY * (n + 1)], VALUE * n);
        for n in 0..SINGLE {
            let (key, at) = entry(n);
            let place = at + window.start..at + window.end;
            for (seen, right) in [(&other, Outcome::Mismatch), (&values.to_vec(), Outcome::Deleted)] {
                let outcome = map.delete_if_eq(key, Window::at(WINDOW.start, &seen[place.clone()]))?;
                page.lost("right answers to a compare", u64::from(outcome != right));
            }
        }
        let (keys, rest) = (&keys[KEY * SINGLE..], VALUE * SINGLE..);
        for (seen, right) in [(&other[rest.clone()], Outcome::Mismatch), (&values[rest], Outcome::Deleted)] {
            let batch = if self.compares == Compares::Batches {
                map.delete_batch_if_eq(keys, seen, WINDOW)?
            } else {
                map.delete_each_if_eq(keys, seen, WINDOW)?
            };
            if let Some(error) = &batch.ended {
                bail!("a batch that compares ended early: {error}");
            }
            let wrong = keys.len() / KEY - batch.count(right);
            page.lost("right answers to a compare", wrong as u64);
        }
        page.did("compared", 2 * u64::from(ENTRIES));
        Ok(())
    }

    fn delete(&self, keys: &[u8]) -> Result<()> {
        let elements = Elements::new(self.fd.as_fd())?;
        for key in keys.chunks_exact(KEY).take(SINGLE) {
            elements.delete(key).context("cannot delete an entry")?;
        }
        let (keys, left) = (&keys[KEY * SINGLE..], ENTRIES - u32::try_from(SINGLE)?);
        let batch = Batch::plain(self.fd.as_raw_fd(), keys, left).send(WHOLE_ATTR);
        ensure!(batch.answer.is_ok(), "cannot delete a batch: {:?}", batch.answer);
        Ok(())
    }
}

impl Worker for Churn {
    // Elsewhere the kernel tells what the map has room for, whatever becomes of its elements.
    fn tells_bytes(&self) -> bool {
        self.map == MapKind::HashNoPrealloc
    }

    fn turn(&mut self, page: &Page) -> Result<()> {
        self.turn += 1;
        let (keys, values) = (self.keys(), self.values(0));
        self.fill(&keys, &values, page)?;
        let there = self.count()?;
        page.lost("entries that were made", u64::from(ENTRIES.abs_diff(there)));
        if there == ENTRIES {
            if self.compares == Compares::No {
                self.delete(&keys)?;
            } else {
                self.compare(&keys, &values, page)?;
            }
            page.did("deletes", ENTRIES.into());
        } else {
            // There was no room for all: what there is goes all the same, so that what is left is seen.
            let elements = Elements::new(self.fd.as_fd())?;
            for key in keys.chunks_exact(KEY) {
                let _ = elements.delete(key);
            }
        }
        page.lost("deletes", self.count()?.into());
        page.bytes.store(memory_of(self.fd.as_fd())?, Relaxed);
        page.did("runs", 1);
        thread::sleep(PAUSE);
        Ok(())
    }
}
