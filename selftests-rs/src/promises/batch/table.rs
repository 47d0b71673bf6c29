// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map of numbered entries, batches made for it, and a model that says what should become of them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use anyhow::{Context as _, Result};
use cmpdel_uapi::{Map, Snapshot};
use cmpdel_uapi_raw::{
    Batch, BatchAnswer, Command, Create, Elements, Errno, UNTOUCHED_STATUS, WHOLE_ATTR, map_create,
};

use crate::errno::{ENOENT, ESTALE};
use crate::fixture::Shape;
use crate::verdict::Tally;

/// What a batch does to its elements.
pub const COMMANDS: [Command; 2] = [Command::Delete, Command::Update];

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
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    /// What an update makes of them: another byte in each place.
    new: Vec<Vec<u8>>,
}

/// A batch, as the kernel gets it.
pub struct Made {
    pub elements: Vec<Element>,
    pub keys: Vec<u8>,
    /// Whole values, as a look-up returned them.
    pub seen: Vec<u8>,
    /// What an update makes of them.
    pub new: Vec<u8>,
    pub window: Range<u32>,
    value_size: u32,
    fd: i32,
}

impl Made {
    /// The fields of the call, the expected bytes being in whole values.
    pub fn batch(&self, command: Command) -> Batch<'_> {
        self.of_expected(command, self.expected(), self.value_size)
    }

    /// The same, the expected bytes being somewhere else.
    pub fn of_expected<'a>(&'a self, command: Command, expected: &'a [u8], stride: u32) -> Batch<'a> {
        let delete = Batch::compare(self.fd, &self.keys, self.count(), self.window.clone(), expected, stride);
        match command {
            Command::Delete => delete,
            Command::Update => delete.updating(&self.new),
        }
    }

    /// From the window of the first value on.
    pub fn expected(&self) -> &[u8] {
        &self.seen[self.seen.len().min(self.window.start as usize)..]
    }

    /// The windows alone, `gap` bytes between one and the next.
    pub fn packed(&self, gap: usize) -> Vec<u8> {
        let window = self.window.start as usize..self.window.end as usize;
        let values = self.seen.chunks(self.value_size as usize);
        let mut packed: Vec<u8> =
            values.flat_map(|value| [&value[window.clone()], &vec![0x99; gap]].concat()).collect();
        packed.truncate(packed.len().saturating_sub(gap));
        packed
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
        let keys = (0..entries).map(|entry| key(entry, shape.key_size)).collect();
        let values: Vec<_> = (0..entries).map(|entry| value(entry, shape.value_size)).collect();
        let new = values.iter().map(|value| value.iter().map(|byte| !byte).collect()).collect();
        let table = Self { fd, shape, entries, keys, values, new };
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
        let put = elements.update(&self.keys[entry as usize], &self.values[entry as usize], 0);
        put.with_context(|| format!("cannot put entry {entry}"))
    }

    /// A batch of these elements, whose window is `window` of each value.
    pub fn make(&self, elements: &[Element], window: Range<u32>) -> Made {
        let (mut keys, mut seen, mut new) = (Vec::new(), Vec::new(), Vec::new());
        let inside = window.start as usize..window.end as usize;
        for (place, &element) in elements.iter().enumerate() {
            let (Equal(entry) | Differs(entry) | Outside(entry) | Absent(entry)) = element;
            let at = (entry % self.entries) as usize;
            let mut value = self.values[at].clone();
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
            match element {
                Absent(_) => keys.extend(key(self.entries + entry, self.shape.key_size)),
                _ => keys.extend(&self.keys[at]),
            }
            seen.extend(value);
            new.extend(&self.new[at]);
        }
        let (elements, fd) = (elements.to_vec(), self.fd.as_raw_fd());
        Made { elements, keys, seen, new, window, value_size: self.shape.value_size, fd }
    }

    /// Sends a batch of deletes, and one of updates, which should both end as `wanted` says.
    pub fn try_both(
        &self,
        tally: &mut Tally,
        name: impl fmt::Display,
        made: &Made,
        wanted: Wanted,
    ) -> Result<()> {
        for command in COMMANDS {
            let problem = self.try_batch(made, &made.batch(command), wanted)?;
            tally.case(format_args!("{command:?}, {name}"), problem);
        }
        Ok(())
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
        let (said, model) = (batch.send(size), Model::run(batch.command, &made.elements, wanted));
        self.judge(&model, batch.count, &said)
    }

    /// Says what is wrong with an answer, and with the entries after it; then puts back what is gone or replaced.
    pub fn judge(&self, model: &Model, asked: u32, said: &BatchAnswer) -> Result<Option<String>> {
        let mut wrong = Vec::new();
        if said.answer != model.answer {
            wrong.push(format!("{:?} instead of {:?}", said.answer, model.answer));
        }
        let count = model.count.unwrap_or(asked);
        if said.count != count {
            wrong.push(format!("count {} instead of {count}", said.count));
        }
        for (i, &status) in said.statuses.iter().enumerate() {
            if !model.allows(i, status) {
                wrong.push(format!("status {status} of element {i}"));
                break;
            }
        }
        let (left, elements_of_map) = (self.contents()?, self.elements()?);
        let mut gone = 0;
        for entry in 0..self.entries {
            let at = entry as usize;
            let now = left.get(&self.keys[at]);
            let right = match (model.command, model.done.contains(&entry)) {
                (Command::Delete, true) => None,
                (Command::Update, true) => Some(&self.new[at]),
                (_, false) => Some(&self.values[at]),
            };
            gone += usize::from(right.is_none());
            if now != right {
                wrong.push(match (now, right) {
                    (None, _) => format!("entry {entry} was deleted"),
                    (Some(_), None) => format!("entry {entry} was kept"),
                    (Some(now), _) if *now == self.values[at] => format!("entry {entry} was not replaced"),
                    (Some(_), Some(_)) => format!("entry {entry} has changed"),
                });
            }
            if now != Some(&self.values[at]) {
                self.put(&elements_of_map, entry)?;
            }
        }
        if left.len() + gone != self.entries as usize {
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

/// A key that differs in its first bytes already.
fn key(entry: u32, size: u32) -> Vec<u8> {
    let number = entry.to_le_bytes();
    (0..size as usize).map(|i| number.get(i).copied().unwrap_or(0x5a)).collect()
}

/// A value that differs in every byte from those of the neighbours, and from place to place.
#[allow(clippy::cast_possible_truncation)]
fn value(entry: u32, size: u32) -> Vec<u8> {
    (0..size).map(|i| (entry.wrapping_mul(37) + i * 11 + (i >> 8)) as u8).collect()
}

/// What should be after a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Model {
    command: Command,
    answer: Result<(), Errno>,
    /// As it was, if none.
    count: Option<u32>,
    /// Those that must have been written.
    statuses: Vec<i32>,
    /// The entries that are gone, or replaced.
    done: HashSet<u32>,
}

impl Model {
    /// Deals with the elements one after the other, as the documentation says.
    pub fn run(command: Command, elements: &[Element], wanted: Wanted) -> Self {
        let (statuses, done) = (Vec::new(), HashSet::new());
        let mut model = Self { command, answer: Ok(()), count: None, statuses, done };
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
                model.done = elements.iter().filter_map(|element| element.entry()).collect();
                return model;
            }
        };
        // What an entry says that was there and is not what it was.
        let other = if command == Command::Delete { ENOENT } else { ESTALE };
        for element in elements.iter().take(dealt_with) {
            let status = match element {
                Absent(_) => -ENOENT.0,
                Equal(entry) | Outside(entry) if model.done.insert(*entry) => 0,
                Differs(entry) if !model.done.contains(entry) => -ESTALE.0,
                _ => -other.0,
            };
            model.statuses.push(status);
        }
        model.count = u32::try_from(dealt_with).ok();
        model
    }

    /// Whether element `i` may have this status. The one that ended the batch may say why; those behind it say nothing.
    fn allows(&self, i: usize, status: i32) -> bool {
        match self.statuses.get(i) {
            Some(&right) => status == right,
            None => {
                let ended_it = self.count.is_some() && i == self.statuses.len();
                status == UNTOUCHED_STATUS || (ended_it && self.answer == Err(Errno(-status)))
            }
        }
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
        let run = |command, wanted| Model::run(command, &elements, wanted);
        let model = run(Command::Delete, Wanted::Done);
        assert_eq!(model.statuses, [0, -2, -2, 0, 0]);
        assert_eq!((model.count, &model.done), (Some(5), &HashSet::from([1, 2, 3])));
        let update = run(Command::Update, Wanted::Done);
        assert_eq!((update.statuses, update.done), (vec![0, -2, -116, 0, 0], model.done));
        let model = run(Command::Delete, Wanted::Ended(2, EFAULT));
        assert_eq!((model.answer, model.statuses.len(), model.count), (Err(EFAULT), 2, Some(2)));
        assert_eq!(model.done, HashSet::from([1]));
        assert!(model.allows(2, UNTOUCHED_STATUS) && model.allows(2, -EFAULT.0) && !model.allows(2, 0));
        assert!(model.allows(3, UNTOUCHED_STATUS) && !model.allows(3, -EFAULT.0));
        let model = run(Command::Delete, Wanted::Refused(EINVAL));
        assert!(model.done.is_empty() && model.statuses.is_empty() && model.count.is_none());
        assert!(!model.allows(0, -EINVAL.0));
        assert_eq!(run(Command::Delete, Wanted::Unconditional).done.len(), 3);
    }
}
