// SPDX-License-Identifier: MIT OR Apache-2.0
//! Going through a map by batch look-ups.

use crate::sys::{self, address_mut};
use crate::{Error, Map};

/// Keys and values as one batch look-up copied them out, one after the other. Entries of a bucket are seen together;
/// between look-ups the map goes on changing.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    keys: Vec<u8>,
    values: Vec<u8>,
    key_size: usize,
    value_size: usize,
}

impl Snapshot {
    /// The keys, one after the other.
    #[must_use]
    pub fn keys(&self) -> &[u8] {
        &self.keys
    }

    /// The values, in the order of the keys.
    #[must_use]
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// Entries in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len().checked_div(self.key_size).unwrap_or(0)
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Each key with its value.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.keys.chunks_exact(self.key_size.max(1)).zip(self.values.chunks_exact(self.value_size.max(1)))
    }

    /// Drops the entries for which `keep` says no, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) {
        let (key_size, value_size) = (self.key_size, self.value_size);
        let mut kept = 0;
        for i in 0..self.len() {
            let (key, value) = (i * key_size..(i + 1) * key_size, i * value_size..(i + 1) * value_size);
            if keep(&self.keys[key.clone()], &self.values[value.clone()]) {
                self.keys.copy_within(key, kept * key_size);
                self.values.copy_within(value, kept * value_size);
                kept += 1;
            }
        }
        self.keys.truncate(kept * key_size);
        self.values.truncate(kept * value_size);
    }
}

/// A walk through a map, see [`Map::walk`].
#[derive(Debug)]
pub struct Walk<'map> {
    map: &'map Map<'map>,
    room: u32,
    position: Position,
}

/// Where the walk goes on. The kernel's own number, of a bucket.
#[derive(Clone, Copy, Debug)]
enum Position {
    Start,
    At(u32),
    End,
}

impl Map<'_> {
    /// Begins to go through the map, `room` entries or so at a time, by batch look-ups. An entry that stays put is
    /// seen once; what is inserted or removed meanwhile may be seen or not.
    ///
    /// # Errors
    /// [`Error::UnsupportedMap`] for a type whose values are not plain bytes or whose buckets have no numbers: hash and
    /// LRU hash are walked.
    pub fn walk(&self, room: u32) -> Result<Walk<'_>, Error> {
        if !crate::probe::is_known(self.info().map_type) {
            return Err(Error::UnsupportedMap { map_type: self.info().map_type });
        }
        // Neither more than there can be, nor more than anybody wants to hold.
        const MOST_BYTES: u64 = 64 << 20;
        let info = self.info();
        let entry = u64::from(info.key_size) + u64::from(info.value_size);
        let most = u32::try_from(MOST_BYTES / entry.max(1)).unwrap_or(u32::MAX);
        let room = room.min(info.max_entries).min(most).max(1);
        Ok(Walk { map: self, room, position: Position::Start })
    }
}

impl Walk<'_> {
    /// Copies the next entries into `snapshot`, whatever it held. False at the end, with none in it.
    ///
    /// The room grows where a single bucket holds more than fits.
    ///
    /// # Errors
    /// [`Error::Permission`] where the fd may not read; [`Error::Os`]. `snapshot` is empty then.
    pub fn next_into(&mut self, snapshot: &mut Snapshot) -> Result<bool, Error> {
        let info = self.map.info();
        (snapshot.key_size, snapshot.value_size) = (info.key_size as usize, info.value_size as usize);
        loop {
            let from = match self.position {
                Position::Start => None,
                Position::At(bucket) => Some(bucket),
                Position::End => {
                    snapshot.keys.clear();
                    snapshot.values.clear();
                    return Ok(false);
                }
            };
            let room = self.room as usize;
            snapshot.keys.resize(room * snapshot.key_size, 0);
            snapshot.values.resize(room * snapshot.value_size, 0);
            let (mut start, mut next) = (from.unwrap_or_default().to_ne_bytes(), [0; 4]);
            let start_address = from.map_or(0, |_| address_mut(&mut start));
            // SAFETY: there is room for as many keys and values of this map's sizes, which for the types that walk() lets
            // in are plain bytes; a position of theirs is the number of a bucket, in 4 bytes.
            let (count, answer) = unsafe {
                sys::lookup_batch(
                    self.map.raw_fd(),
                    (start_address, address_mut(&mut next)),
                    (address_mut(&mut snapshot.keys), address_mut(&mut snapshot.values)),
                    self.room,
                )
            };
            let count = (count as usize).min(room);
            let errno = answer.as_ref().err().and_then(std::io::Error::raw_os_error);
            match (answer, errno) {
                (Ok(()), _) => self.position = Position::At(u32::from_ne_bytes(next)),
                // The walk is over; what was copied is good.
                (Err(_), Some(libc::ENOENT)) => self.position = Position::End,
                // A bucket holds no more than the map.
                (Err(_), Some(libc::ENOSPC)) if self.room <= info.max_entries => {
                    self.room = self.room.saturating_mul(2);
                    continue;
                }
                (Err(error), _) => {
                    snapshot.keys.clear();
                    snapshot.values.clear();
                    return Err(Error::from_os("BPF_MAP_LOOKUP_BATCH", error));
                }
            }
            snapshot.keys.truncate(count * snapshot.key_size);
            snapshot.values.truncate(count * snapshot.value_size);
            if count > 0 {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_retained_keeps_its_order_and_its_value() {
        let mut snapshot =
            Snapshot { keys: vec![1, 2, 3, 4, 5], values: (0..10).collect(), key_size: 1, value_size: 2 };
        assert_eq!((snapshot.len(), snapshot.is_empty()), (5, false));
        snapshot.retain(|key, value| {
            assert_eq!(value, [(key[0] - 1) * 2, (key[0] - 1) * 2 + 1]);
            key[0] % 2 == 0
        });
        assert_eq!(snapshot.entries().collect::<Vec<_>>(), [(&[2][..], &[2, 3][..]), (&[4], &[6, 7])]);
        assert_eq!((snapshot.keys(), snapshot.values()), (&[2, 4][..], &[2, 3, 6, 7][..]));
        snapshot.retain(|_, _| false);
        assert!(snapshot.is_empty() && snapshot.entries().next().is_none());
        assert_eq!(Snapshot::default().len(), 0);
    }
}
