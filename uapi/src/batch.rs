// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare-and-delete of many entries, and what became of each.

use std::io;
use std::ops::Range;

use crate::probe::require_batch;
use crate::sys::{self, BatchArguments, address, delete_batch_compare};
use crate::{Error, Map, Outcome, Window};

/// What became of the entries of a batch, one by one: the batch as a whole is not atomic.
#[derive(Debug, Default)]
#[must_use = "only `Deleted` says that an entry is gone"]
#[non_exhaustive]
pub struct BatchOutcome {
    /// One for each entry that was dealt with, in the order of the keys. Shorter than the batch only if `ended` says
    /// why; none of the entries beyond was deleted.
    pub outcomes: Vec<Outcome>,
    /// What ended the batch before its last entry: it was met at the entry after the last of `outcomes`. `-EDEADLK` and
    /// `-ETIMEDOUT` (the bucket's lock) are worth another try with the rest of the batch.
    pub ended: Option<Error>,
}

impl BatchOutcome {
    /// How many entries ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.iter().filter(|&&seen| seen == outcome).count()
    }
}

impl Map<'_> {
    /// Deletes each of many entries if, and only if, its window equals that of the value given for it. One system call.
    ///
    /// `keys` and `values` hold the same number of whole keys and values, one after the other, as a [`crate::Snapshot`]
    /// does; `window` says which bytes of each value are compared, `32..36` for four of them. No other byte of `values`
    /// matters. Entries are dealt with in order, so of a key that is given twice the first decides.
    ///
    /// ```no_run
    /// # use cmpdel_uapi::{Map, Outcome, Snapshot};
    /// # fn collect(map: &Map<'_>, expired: impl Fn(&[u8]) -> bool) -> Result<(), cmpdel_uapi::Error> {
    /// let (mut walk, mut snapshot) = (map.walk(256)?, Snapshot::default());
    /// while walk.next_into(&mut snapshot)? {
    ///     snapshot.retain(|_key, value| expired(value));
    ///     let batch = map.delete_batch_if_eq(snapshot.keys(), snapshot.values(), 32..36)?;
    ///     println!("{} refreshed since: they live on", batch.count(Outcome::Mismatch));
    ///     if let Some(error) = batch.ended {
    ///         return Err(error); // the rest is looked at again the next time
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Nothing was deleted. [`Error::BatchLength`] and [`Error::BadWindow`] are found here; then
    /// [`crate::probe_batch()`] may say [`Error::UnsupportedKernel`], [`Error::UnsupportedMap`],
    /// [`Error::UnsupportedBatch`] (then there is [`Map::delete_each_if_eq`]), [`Error::NoBpf`] or [`Error::Permission`];
    /// then the kernel what it may say to [`Map::delete_if_eq`]. An error after the first entry is in
    /// [`BatchOutcome::ended`] instead.
    pub fn delete_batch_if_eq(
        &self,
        keys: &[u8],
        values: &[u8],
        window: Range<u32>,
    ) -> Result<BatchOutcome, Error> {
        let (count, size) = self.check_batch(keys, values, &window)?;
        let differs = require_batch(self.info().map_type)?;
        if count == 0 {
            return Ok(BatchOutcome::default());
        }
        let mut statuses = vec![UNTOUCHED; count as usize];
        // SAFETY: require_batch() knows the types whose values are plain bytes, and check_batch() saw `count` whole keys and
        // values of this map's sizes; there are as many statuses.
        let (dealt_with, answer) = unsafe {
            delete_batch_compare(&BatchArguments {
                fd: self.raw_fd(),
                keys: address(keys),
                values: address(values),
                statuses: sys::address_of_statuses(&mut statuses),
                count,
                offset: window.start,
                size,
            })
        };
        // Where a batch is refused as a whole, `count` is what it was, but no status has been written.
        let outcomes: Vec<_> =
            statuses.iter().take(dealt_with as usize).map_while(|&status| meaning(status, differs)).collect();
        match answer {
            Ok(()) if outcomes.len() == statuses.len() => Ok(BatchOutcome { outcomes, ended: None }),
            Ok(()) => {
                let status = statuses.get(outcomes.len()).copied().unwrap_or_default();
                let text = format!("success, with status {status} for entry {}", outcomes.len());
                Ok(BatchOutcome {
                    outcomes,
                    ended: Some(Error::Os { call: CALL, source: io::Error::other(text) }),
                })
            }
            Err(error) if outcomes.is_empty() => Err(self.sort_refusal(CALL, error)),
            Err(error) => Ok(BatchOutcome { outcomes, ended: Some(self.sort_refusal(CALL, error)) }),
        }
    }

    /// The same with a system call for each entry: for kernels that have compare-and-delete but no batches of it, which
    /// [`crate::probe_batch()`] tells.
    ///
    /// # Errors
    /// As [`Map::delete_batch_if_eq`], [`Error::UnsupportedBatch`] excepted.
    pub fn delete_each_if_eq(
        &self,
        keys: &[u8],
        values: &[u8],
        window: Range<u32>,
    ) -> Result<BatchOutcome, Error> {
        let (_, size) = self.check_batch(keys, values, &window)?;
        crate::probe::require(self.info().map_type)?;
        let (key_size, value_size) = (self.info().key_size as usize, self.info().value_size as usize);
        let mut batch = BatchOutcome::default();
        for (key, value) in keys.chunks_exact(key_size).zip(values.chunks_exact(value_size)) {
            let start = window.start as usize;
            let expected = value.get(start..start + size as usize).unwrap_or_default();
            match self.delete_if_eq(key, Window::at(window.start, expected)) {
                Ok(outcome) => batch.outcomes.push(outcome),
                Err(error) if batch.outcomes.is_empty() => return Err(error),
                Err(error) => {
                    batch.ended = Some(error);
                    break;
                }
            }
        }
        Ok(batch)
    }

    /// The number of entries and the size of the window, once all is seen to fit.
    fn check_batch(&self, keys: &[u8], values: &[u8], window: &Range<u32>) -> Result<(u32, u32), Error> {
        let (map_type, key_size, value_size) =
            (self.info().map_type, self.info().key_size, self.info().value_size);
        // No map without keys or values is a hash.
        if key_size == 0 || value_size == 0 {
            return Err(Error::UnsupportedMap { map_type });
        }
        let bad_length = Error::BatchLength { keys: keys.len(), values: values.len(), key_size, value_size };
        let whole = keys.len().is_multiple_of(key_size as usize);
        let Ok(count) = u32::try_from(keys.len() / key_size as usize) else { return Err(bad_length) };
        if !whole || (count as usize).checked_mul(value_size as usize) != Some(values.len()) {
            return Err(bad_length);
        }
        let size = self.check_window(window.start, window.end.saturating_sub(window.start) as usize)?;
        Ok((count, size))
    }
}

const CALL: &str = "BPF_MAP_DELETE_BATCH with BPF_F_COMPARE";

/// No errno: a status that the kernel did not write.
const UNTOUCHED: i32 = i32::MAX;

/// What a status says of its entry; `None` where it says nothing.
fn meaning(status: i32, differs: i32) -> Option<Outcome> {
    match status {
        0 => Some(Outcome::Deleted),
        status if status == -libc::ENOENT => Some(Outcome::Absent),
        status if status == -differs => Some(Outcome::Mismatch),
        _ => None,
    }
}
