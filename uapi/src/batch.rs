// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare-and-delete and compare-and-update of many entries, and what became of each.

use std::io;
use std::ops::Range;

use crate::change::Change;
use crate::probe::{Differs, require, require_batch};
use crate::sys::{Batch, address, address_of_statuses, compare_batch};
use crate::window::Verdict;
use crate::{Error, Map, Outcome, Updated, Window};

/// What became of the entries of a batch, one by one: the batch as a whole is not atomic. `O` is [`Outcome`] of a batch of
/// deletes, [`Updated`] of one of updates.
#[derive(Debug)]
#[must_use = "only `Deleted` or `Replaced` says that an entry was changed"]
#[non_exhaustive]
pub struct BatchOutcome<O = Outcome> {
    /// One for each entry that was dealt with, in the order of the keys. Shorter than the batch only if `ended` says
    /// why; none of the entries beyond was changed.
    pub outcomes: Vec<O>,
    /// What ended the batch before its last entry: it was met at the entry after the last of `outcomes`. `-EDEADLK` and
    /// `-ETIMEDOUT` (the bucket's lock) are worth another try with the rest of the batch.
    pub ended: Option<Error>,
}

impl<O> Default for BatchOutcome<O> {
    fn default() -> Self {
        Self { outcomes: Vec::new(), ended: None }
    }
}

impl<O: PartialEq> BatchOutcome<O> {
    /// How many entries ended so.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "an outcome is one byte")]
    pub fn count(&self, outcome: O) -> usize {
        self.outcomes.iter().filter(|&seen| *seen == outcome).count()
    }
}

/// What many entries are to be changed by. The arrays hold as many whole keys and values, one after the other.
#[derive(Clone, Copy)]
struct Many<'a> {
    keys: &'a [u8],
    /// The expected bytes are a window of each.
    seen: &'a [u8],
    /// The new values; none for a delete.
    new: Option<&'a [u8]>,
}

impl Many<'_> {
    fn change(&self) -> Change {
        if self.new.is_some() { Change::Update } else { Change::Delete }
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
    /// Nothing was deleted. [`Error::BatchLength`] and what [`Map::delete_if_eq`] says of a window are found here; then it is
    /// asked what this kernel has, see [`crate::probe_batch()`]: as of [`Map::delete_if_eq`], and [`Error::UnsupportedBatch`]
    /// (then there is [`Map::delete_each_if_eq`]); then the kernel what it may say to [`Map::delete_if_eq`]. An error after the
    /// first entry is in [`BatchOutcome::ended`] instead.
    pub fn delete_batch_if_eq(
        &self,
        keys: &[u8],
        values: &[u8],
        window: Range<u32>,
    ) -> Result<BatchOutcome, Error> {
        self.batch(Many { keys, seen: values, new: None }, window)
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
        self.each(Many { keys, seen: values, new: None }, window)
    }

    /// Gives each of many entries its new value if, and only if, its window equals that of the value seen. One system call; it
    /// never makes an entry.
    ///
    /// `keys`, `seen_values` and `new_values` hold the same number of whole keys and values, one after the other; `window` says
    /// which bytes of each value seen are compared. All of a new value counts, see [`Map::update_if_eq`]. Entries are dealt with
    /// in order: a key that is given twice is compared with its first new value the second time.
    ///
    /// ```no_run
    /// # use cmpdel_uapi::{Map, Snapshot, Updated};
    /// # fn halve(map: &Map<'_>, snapshot: &Snapshot) -> Result<(), cmpdel_uapi::Error> {
    /// let mut halved = snapshot.values().to_vec(); // values of 8 bytes, each a counter
    /// for counter in halved.as_chunks_mut::<8>().0 {
    ///     *counter = (u64::from_ne_bytes(*counter) / 2).to_ne_bytes();
    /// }
    /// let batch = map.update_batch_if_eq(snapshot.keys(), snapshot.values(), &halved, 0..8)?;
    /// println!("{} have counted on: they are as they were", batch.count(Updated::Mismatch));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Nothing was changed. As [`Map::delete_batch_if_eq`], and [`Error::UnsupportedUpdate`]. An error after the first entry is
    /// in [`BatchOutcome::ended`] instead.
    pub fn update_batch_if_eq(
        &self,
        keys: &[u8],
        seen_values: &[u8],
        new_values: &[u8],
        window: Range<u32>,
    ) -> Result<BatchOutcome<Updated>, Error> {
        self.batch(Many { keys, seen: seen_values, new: Some(new_values) }, window)
    }

    /// The same with a system call for each entry.
    ///
    /// # Errors
    /// As [`Map::update_batch_if_eq`], [`Error::UnsupportedBatch`] excepted.
    pub fn update_each_if_eq(
        &self,
        keys: &[u8],
        seen_values: &[u8],
        new_values: &[u8],
        window: Range<u32>,
    ) -> Result<BatchOutcome<Updated>, Error> {
        self.each(Many { keys, seen: seen_values, new: Some(new_values) }, window)
    }

    fn batch<O: From<Verdict>>(&self, many: Many<'_>, window: Range<u32>) -> Result<BatchOutcome<O>, Error> {
        let (count, size) = self.check_batch(many, &window)?;
        let (change, value_size) = (many.change(), self.info().value_size);
        let differs = require_batch(self, change)?;
        if count == 0 {
            return Ok(BatchOutcome::default());
        }
        let expected = many.seen.get(window.start as usize..).unwrap_or_default();
        let mut statuses = vec![UNTOUCHED; count as usize];
        // SAFETY: check_batch() saw `count` whole keys and values of this map's sizes, and the window within each of the values
        // seen; from one window to the next it is a value's size. There are as many statuses.
        let (dealt_with, answer) = unsafe {
            compare_batch(
                change,
                &Batch {
                    fd: self.raw_fd(),
                    keys: address(many.keys),
                    values: many.new.map_or(0, address),
                    statuses: address_of_statuses(&mut statuses),
                    count,
                    expected: address(expected),
                    stride: value_size,
                    offset: window.start,
                    size,
                },
            )
        };
        // Where a batch is refused as a whole, `count` is what it was, but no status has been written.
        let outcomes: Vec<_> = statuses
            .iter()
            .take(dealt_with as usize)
            .map_while(|&status| meaning(status, differs).map(O::from))
            .collect();
        let (_, call) = change.of_many();
        match answer {
            Ok(()) if outcomes.len() == statuses.len() => Ok(BatchOutcome { outcomes, ended: None }),
            Ok(()) => {
                let status = statuses.get(outcomes.len()).copied().unwrap_or_default();
                let text = format!("success, with status {status} for entry {}", outcomes.len());
                Ok(BatchOutcome { outcomes, ended: Some(Error::Os { call, source: io::Error::other(text) }) })
            }
            Err(error) => {
                let error = self.sort_refusal(call, error, (window.start, size));
                if outcomes.is_empty() {
                    Err(error)
                } else {
                    Ok(BatchOutcome { outcomes, ended: Some(error) })
                }
            }
        }
    }

    fn each<O: From<Verdict>>(&self, many: Many<'_>, window: Range<u32>) -> Result<BatchOutcome<O>, Error> {
        let (_, size) = self.check_batch(many, &window)?;
        require(self, many.change())?;
        let (key_size, value_size) = (self.info().key_size as usize, self.info().value_size as usize);
        let (start, size) = (window.start as usize, size as usize);
        let mut new = many.new.map(|new| new.chunks_exact(value_size));
        let mut batch = BatchOutcome::default();
        for (key, seen) in many.keys.chunks_exact(key_size).zip(many.seen.chunks_exact(value_size)) {
            let expected = seen.get(start..start + size).unwrap_or_default();
            let value = new.as_mut().map(|new| new.next().unwrap_or_default());
            match self.compare(key, value, Window::at(window.start, expected)) {
                Ok(verdict) => batch.outcomes.push(O::from(verdict)),
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
    fn check_batch(&self, many: Many<'_>, window: &Range<u32>) -> Result<(u32, u32), Error> {
        self.check_sizes()?;
        let (key_size, value_size) = (self.info().key_size, self.info().value_size);
        let bad_length = |values: &[u8]| Error::BatchLength {
            keys: many.keys.len(),
            values: values.len(),
            key_size,
            value_size,
        };
        let whole = many.keys.len().is_multiple_of(key_size as usize);
        let Ok(count) = u32::try_from(many.keys.len() / key_size as usize) else {
            return Err(bad_length(many.seen));
        };
        for values in [Some(many.seen), many.new].into_iter().flatten() {
            if !whole || (count as usize).checked_mul(value_size as usize) != Some(values.len()) {
                return Err(bad_length(values));
            }
        }
        let size = self.check_window(window.start, window.end.saturating_sub(window.start) as usize)?;
        Ok((count, size))
    }
}

/// No errno: a status that the kernel did not write.
const UNTOUCHED: i32 = i32::MAX;

/// What a status says of its entry; `None` where it says nothing.
fn meaning(status: i32, differs: Differs) -> Option<Verdict> {
    match status {
        0 => Some(Verdict::Done),
        status if status == -libc::ENOENT => Some(Verdict::Absent),
        status if status < 0 && differs.is(-status) => Some(Verdict::Differs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_what_was_seen_to_mean_it_and_no_other() {
        let says = |status| meaning(status, Differs::Says(libc::ESTALE));
        assert_eq!(says(0), Some(Verdict::Done));
        assert_eq!(says(-libc::ENOENT), Some(Verdict::Absent));
        assert_eq!(says(-libc::ESTALE), Some(Verdict::Differs));
        for status in [UNTOUCHED, libc::ESTALE, -libc::EAGAIN, -libc::EBUSY, -libc::ECANCELED, i32::MIN + 1] {
            assert_eq!(says(status), None, "{status}");
        }
    }
}
