// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map of numbered entries, batches made for it, and a model that says what should become of them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use anyhow::{Context as _, Result};
use cmpdel_uapi::{Map, Snapshot};
use cmpdel_uapi_raw::{
    Batch, BatchAnswer, Create, Elements, Errno, UNTOUCHED_STATUS, delete_batch, map_create,
};

use crate::errno::{ECANCELED, ENOENT};
use crate::fixture::{Shape, WHOLE_ATTR};
use crate::series::Series;

/// An element of a batch, by the number of its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// The value is the one in the map.
    Equal(u32),
    /// A byte within the window is another one.
    Differs(u32),
    /// All bytes outside the window are other ones.
    Outside(u32),
    /// There is no such key.
    Absent(u32),
}

use Element::{Absent, Differs, Equal, Outside};

/// The map. It holds entries 0 to `entries`, and no other.
pub struct Table {
    fd: OwnedFd,
    shape: Shape,
    entries: u32,
}

/// A batch, as the kernel gets it.
pub struct Made {
    pub elements: Vec<Element>,
    pub keys: Vec<u8>,
    pub values: Vec<u8>,
    pub window: Range<u32>,
    fd: i32,
}

impl Made {
    /// The fields of the call.
    pub fn batch(&self) -> Batch<'_> {
        Batch::compare(self.fd, &self.keys, &self.values, self.count(), self.window.clone())
    }

    pub fn count(&self) -> u32 {
        u32::try_from(self.elements.len()).unwrap_or(u32::MAX)
    }
}

/// How a call should end.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// All elements are dealt with.
    Done,
    /// So many are, and then the call ends with this errno.
    Ended(usize, Errno),
    /// None is, and neither count nor statuses are touched.
    Refused(Errno),
    /// All keys that are there are deleted, as by a batch without a condition; the statuses are not touched.
    Unconditional,
}

impl Table {
    pub fn new(shape: Shape, entries: u32) -> Result<Self> {
        // An LRU map with room to spare, so that it evicts nothing: see Shape::room().
        let room = if shape.is_lru() { entries * 4 + 1024 } else { entries };
        let fd = map_create(&Create {
            map_type: shape.map_type,
            key_size: shape.key_size,
            value_size: shape.value_size,
            max_entries: room,
            flags: shape.flags,
            name: "table",
            ..Create::default()
        })
        .with_context(|| format!("cannot make a map ({shape:?})"))?;
        let table = Self { fd, shape, entries };
        let elements = table.elements()?;
        (0..entries).try_for_each(|entry| table.put(&elements, entry))?;
        Ok(table)
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub fn id(&self) -> Result<u32> {
        Ok(Map::new(self.fd())?.info().id)
    }

    fn elements(&self) -> Result<Elements<'_>> {
        Elements::new(self.fd()).context("cannot use the map")
    }

    fn put(&self, elements: &Elements<'_>, entry: u32) -> Result<()> {
        let put = elements.update(&self.key(entry), &self.value(entry), 0);
        put.with_context(|| format!("cannot put entry {entry}"))
    }

    /// Keys that differ in their first bytes already.
    pub fn key(&self, entry: u32) -> Vec<u8> {
        let number = entry.to_le_bytes();
        (0..self.shape.key_size as usize).map(|i| number.get(i).copied().unwrap_or(0x5a)).collect()
    }

    /// Values that differ in every byte from those of the neighbours, and from place to place.
    #[allow(clippy::cast_possible_truncation)]
    pub fn value(&self, entry: u32) -> Vec<u8> {
        (0..self.shape.value_size).map(|i| (entry.wrapping_mul(37) + i * 11 + (i >> 8)) as u8).collect()
    }

    /// A batch of these elements, whose window is `window` of each value.
    pub fn make(&self, elements: &[Element], window: Range<u32>) -> Made {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let inside = window.start as usize..window.end as usize;
        for (place, &element) in elements.iter().enumerate() {
            let (entry, key) = match element {
                Equal(entry) | Differs(entry) | Outside(entry) => (entry, entry),
                Absent(entry) => (entry, self.entries + entry),
            };
            let mut value = self.value(entry);
            match element {
                // The first byte or the last one, in turn.
                Differs(_) => value[if place % 2 == 0 { inside.start } else { inside.end - 1 }] ^= 0x80,
                Outside(_) => {
                    for (at, byte) in value.iter_mut().enumerate().filter(|(at, _)| !inside.contains(at)) {
                        *byte = byte.wrapping_add(1).wrapping_add(u8::try_from(at % 7).unwrap_or(0));
                    }
                }
                Equal(_) | Absent(_) => {}
            }
            keys.extend(self.key(key));
            values.extend(value);
        }
        Made { elements: elements.to_vec(), keys, values, window, fd: self.fd.as_raw_fd() }
    }

    /// Sends a batch and says what is wrong with the answer and with the map.
    pub fn try_batch(&self, made: &Made, batch: &Batch<'_>, wanted: Wanted) -> Result<Option<String>> {
        self.try_sized(made, batch, WHOLE_ATTR, wanted)
    }

    /// With an attribute of `size` bytes.
    pub fn try_sized(
        &self,
        made: &Made,
        batch: &Batch<'_>,
        size: u32,
        wanted: Wanted,
    ) -> Result<Option<String>> {
        let said = delete_batch(batch, size);
        self.judge(&made.elements, batch.count, &said, wanted)
    }

    /// Says what is wrong with an answer, and with the entries after it; then puts back what is gone.
    pub fn judge(
        &self,
        elements: &[Element],
        asked: u32,
        said: &BatchAnswer,
        wanted: Wanted,
    ) -> Result<Option<String>> {
        let model = Model::run(elements, wanted);
        let mut wrong = Vec::new();
        if said.answer != model.answer {
            wrong.push(format!("{:?} instead of {:?}", said.answer, model.answer));
        }
        let count = model.count.unwrap_or(asked);
        if said.count != count {
            wrong.push(format!("count {} instead of {count}", said.count));
        }
        for (i, &status) in said.statuses.iter().enumerate() {
            let right = match model.statuses.get(i) {
                Some(&wanted) => status == wanted,
                // Not dealt with. Only a call that dealt with others may have said so.
                None => {
                    status == UNTOUCHED_STATUS
                        || (status == -ECANCELED.0 && matches!(wanted, Wanted::Ended(..)))
                }
            };
            if !right {
                wrong.push(format!("status {status} of element {i} ({:?})", elements.get(i)));
                break;
            }
        }
        let (left, elements_of_map) = (self.contents()?, self.elements()?);
        for entry in 0..self.entries {
            let there = left.get(&self.key(entry));
            match (there, model.deleted.contains(&entry)) {
                (None, false) => wrong.push(format!("entry {entry} was deleted")),
                (Some(_), true) => wrong.push(format!("entry {entry} was kept")),
                (Some(value), false) if *value != self.value(entry) => {
                    wrong.push(format!("entry {entry} has changed"));
                }
                _ => {}
            }
            if there.is_none() {
                self.put(&elements_of_map, entry)?;
            }
        }
        if left.len() + model.deleted.len() != self.entries as usize {
            wrong.push(format!("{} entries are left of {}", left.len(), self.entries));
        }
        wrong.truncate(4);
        Ok((!wrong.is_empty()).then(|| wrong.join(", ")))
    }

    /// All that is in the map.
    fn contents(&self) -> Result<HashMap<Vec<u8>, Vec<u8>>> {
        let map = Map::new(self.fd())?;
        let (mut walk, mut snapshot) = (map.walk(512)?, Snapshot::default());
        let mut all = HashMap::new();
        while walk.next_into(&mut snapshot).context("cannot look the entries up")? {
            all.extend(snapshot.entries().map(|(key, value)| (key.to_vec(), value.to_vec())));
        }
        Ok(all)
    }
}

/// What should be after a call.
#[derive(Debug, PartialEq, Eq)]
struct Model {
    answer: Result<(), Errno>,
    /// As it was, if none.
    count: Option<u32>,
    /// Those that must have been written.
    statuses: Vec<i32>,
    deleted: HashSet<u32>,
}

impl Model {
    /// Deals with the elements one after the other, as the documentation says.
    fn run(elements: &[Element], wanted: Wanted) -> Self {
        let mut model = Self { answer: Ok(()), count: None, statuses: Vec::new(), deleted: HashSet::new() };
        let dealt_with = match wanted {
            Wanted::Done => elements.len(),
            Wanted::Ended(dealt_with, errno) => {
                model.answer = Err(errno);
                dealt_with
            }
            Wanted::Refused(errno) => {
                model.answer = Err(errno);
                return model;
            }
            Wanted::Unconditional => {
                model.deleted = elements.iter().filter_map(|element| element.entry()).collect();
                return model;
            }
        };
        for element in elements.iter().take(dealt_with) {
            let status = match element {
                Absent(_) => -ENOENT.0,
                Equal(entry) | Outside(entry) if model.deleted.insert(*entry) => 0,
                Differs(entry) if !model.deleted.contains(entry) => -Series::of_this_kernel().differs().0,
                _ => -ENOENT.0,
            };
            model.statuses.push(status);
        }
        model.count = u32::try_from(dealt_with).ok();
        model
    }
}

impl Element {
    /// The entry that is there under its key.
    fn entry(self) -> Option<u32> {
        match self {
            Equal(entry) | Differs(entry) | Outside(entry) => Some(entry),
            Absent(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errno::{EFAULT, EINVAL};

    #[test]
    fn the_model_deletes_once_and_stops_where_the_call_ends() {
        let elements = [Equal(1), Absent(0), Outside(1), Outside(2), Equal(3)];
        let model = Model::run(&elements, Wanted::Done);
        assert_eq!(model.statuses, [0, -2, -2, 0, 0]);
        assert_eq!((model.count, model.deleted), (Some(5), HashSet::from([1, 2, 3])));
        let model = Model::run(&elements, Wanted::Ended(2, EFAULT));
        assert_eq!((model.answer, model.statuses.len(), model.count), (Err(EFAULT), 2, Some(2)));
        assert_eq!(model.deleted, HashSet::from([1]));
        let model = Model::run(&elements, Wanted::Refused(EINVAL));
        assert!(model.deleted.is_empty() && model.statuses.is_empty() && model.count.is_none());
        assert_eq!(Model::run(&elements, Wanted::Unconditional).deleted.len(), 3);
    }
}
