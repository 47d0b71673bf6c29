// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hash map with known entries, and the check that a call did to them what it should and no more.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use anyhow::{Context as _, Result};
use cmpdel_uapi::Map;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Create, Errno, Single, WHOLE_ATTR, map_create, update};

use crate::Kernel;
use crate::errno::EINVAL;
use crate::series::Series;
use crate::verdict::Tally;

/// Both ways in which a hash map gets its elements.
pub const ALLOCATIONS: [(&str, u32); 2] = [("preallocated", 0), ("not preallocated", abi::BPF_F_NO_PREALLOC)];

/// A kind of map that has the operation.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    map_type: u32,
    flags: u32,
}

/// Those of the series `rfc` come first.
const KINDS: [Kind; 4] = [
    Kind { name: "preallocated", map_type: abi::BPF_MAP_TYPE_HASH, flags: 0 },
    Kind { name: "not preallocated", map_type: abi::BPF_MAP_TYPE_HASH, flags: abi::BPF_F_NO_PREALLOC },
    Kind { name: "lru", map_type: abi::BPF_MAP_TYPE_LRU_HASH, flags: 0 },
    Kind {
        name: "lru, no common list",
        map_type: abi::BPF_MAP_TYPE_LRU_HASH,
        flags: abi::BPF_F_NO_COMMON_LRU,
    },
];

impl Kind {
    /// A map of this kind with keys of 4 bytes.
    pub fn shape(self, value_size: u32) -> Shape {
        let Self { map_type, flags, .. } = self;
        Shape { map_type, key_size: 4, value_size, flags }
    }
}

/// The kinds that compare on this kernel, or would with the series.
pub fn kinds(kernel: Kernel) -> &'static [Kind] {
    match kernel {
        Kernel::Series if Series::of_this_kernel() == Series::Rfc => &KINDS[..2],
        Kernel::Series | Kernel::Base => &KINDS,
    }
}

/// Whether this kernel has compare-and-update.
pub fn has_updates(kernel: Kernel) -> bool {
    kernel == Kernel::Series && Series::of_this_kernel() == Series::V3
}

/// What a call should do to the entry it names. Every other entry stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Deleted,
    /// It holds [`Scratch::replacement`] now.
    Replaced,
    /// Kept, since the window differs: each series has its errno for it.
    Differs,
    Kept(Errno),
}

impl Expect {
    /// The kernel's answer, where the series is.
    pub fn answer(self) -> Result<(), Errno> {
        match self {
            Self::Deleted | Self::Replaced => Ok(()),
            Self::Differs => Err(Series::of_this_kernel().differs()),
            Self::Kept(errno) => Err(errno),
        }
    }

    /// The same of an update with the flag, which a kernel without it refuses as a whole.
    pub fn of_an_update(self, kernel: Kernel) -> Self {
        match self {
            _ if !has_updates(kernel) => Self::Kept(EINVAL),
            Self::Deleted => Self::Replaced,
            expect => expect,
        }
    }

    /// What `series` says where the series is; elsewhere the flag is refused.
    pub fn unless_base(self, kernel: Kernel) -> Self {
        match kernel {
            Kernel::Series => self,
            Kernel::Base => Self::Kept(EINVAL),
        }
    }
}

/// The shape of a scratch map.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub flags: u32,
}

impl Shape {
    /// A hash map with keys of 4 bytes.
    pub fn hash(value_size: u32, flags: u32) -> Self {
        Self { map_type: abi::BPF_MAP_TYPE_HASH, key_size: 4, value_size, flags }
    }

    pub fn is_lru(self) -> bool {
        self.map_type == abi::BPF_MAP_TYPE_LRU_HASH
    }

    /// A hash holds the entries and no more, which shows an element lost. An LRU map keeps free elements on each CPU, and
    /// evicts before it takes another CPU's: it gets room enough that nothing of ours goes.
    fn room(self) -> u32 {
        if self.is_lru() { 1024 } else { ENTRIES.into() }
    }
}

/// A map with keys of 4 and values of 16 bytes.
pub fn map_of_numbers(map_type: u32, flags: u32, max_entries: u32) -> Result<OwnedFd> {
    let (key_size, value_size, name) = (4, 16, "numbers");
    let create = Create { map_type, key_size, value_size, max_entries, flags, name, ..Create::default() };
    map_create(&create).context("cannot make a map")
}

/// Entries in a scratch map: the target, and others that nothing may touch.
pub const ENTRIES: u8 = 4;

/// The entry that tests aim at.
pub const TARGET: u8 = 1;

/// A map that holds [`ENTRIES`] known entries.
pub struct Scratch {
    fd: OwnedFd,
    /// Keys and values of the entries, and one key more, of none.
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    replacement: Vec<u8>,
}

impl Scratch {
    pub fn new(shape: Shape) -> Result<Self> {
        let create = Create {
            map_type: shape.map_type,
            key_size: shape.key_size,
            value_size: shape.value_size,
            max_entries: shape.room(),
            flags: shape.flags,
            name: "scratch",
            ..Create::default()
        };
        let fd = map_create(&create).with_context(|| format!("cannot make a map ({shape:?})"))?;
        let patterns = |salt, size| (0..=ENTRIES).map(|entry| pattern(entry, salt, size)).collect();
        let scratch = Self {
            fd,
            keys: patterns(0x5a, shape.key_size),
            values: patterns(0, shape.value_size),
            replacement: pattern(TARGET, 0, shape.value_size).iter().map(|byte| !byte).collect(),
        };
        for entry in 0..ENTRIES {
            scratch.put(entry)?;
        }
        Ok(scratch)
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub fn raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    pub fn id(&self) -> Result<u32> {
        Ok(Map::new(self.fd())?.info().id)
    }

    /// The key of an entry; that of [`ENTRIES`] is in no map.
    pub fn key(&self, entry: u8) -> &[u8] {
        &self.keys[usize::from(entry)]
    }

    /// The value an entry was given. Its bytes depend on their place, so that no window equals its neighbour.
    pub fn value(&self, entry: u8) -> &[u8] {
        &self.values[usize::from(entry)]
    }

    /// What an update makes of the target: another byte in each place.
    pub fn replacement(&self) -> &[u8] {
        &self.replacement
    }

    /// Puts an entry (back).
    pub fn put(&self, entry: u8) -> Result<()> {
        update(self.fd(), self.key(entry), self.value(entry), abi::BPF_ANY.into())
            .with_context(|| format!("cannot put entry {entry}"))
    }

    /// Sends `call`, aimed at [`TARGET`], with the whole attribute.
    pub fn try_call(&self, call: &Single<'_>, expect: Expect) -> Result<Option<String>> {
        self.try_sized(call, WHOLE_ATTR, expect)
    }

    /// Sends `delete`, which should do as `expect` says, and an update that is otherwise the same.
    pub fn try_both(
        &self,
        tally: &mut Tally,
        name: impl fmt::Display,
        delete: &Single<'_>,
        expect: Expect,
        kernel: Kernel,
    ) -> Result<()> {
        tally.case(&name, self.try_call(delete, expect)?);
        let update = delete.updating(self.replacement());
        tally.case(format_args!("update, {name}"), self.try_call(&update, expect.of_an_update(kernel))?);
        Ok(())
    }

    /// Sends `call`, aimed at [`TARGET`], with an attribute of `size` bytes.
    pub fn try_sized(&self, call: &Single<'_>, size: u32, expect: Expect) -> Result<Option<String>> {
        self.judge(call.send(size), expect)
    }

    /// Says what is wrong with an answer, and with the entries after it; then puts the target back.
    pub fn judge(&self, answer: Result<(), Errno>, expect: Expect) -> Result<Option<String>> {
        let wanted = expect.answer();
        let mut seen = Vec::new();
        if answer != wanted {
            seen.push(format!("{} instead of {}", said(answer), said(wanted)));
        }
        let map = Map::new(self.fd())?;
        for entry in 0..ENTRIES {
            let value =
                map.lookup(self.key(entry)).with_context(|| format!("cannot look up entry {entry}"))?;
            let name = if entry == TARGET { "the entry" } else { "another entry" };
            let right = match (entry, expect) {
                (TARGET, Expect::Deleted) => None,
                (TARGET, Expect::Replaced) => Some(self.replacement()),
                _ => Some(self.value(entry)),
            };
            match (value, right) {
                (Some(_), None) => seen.push(format!("{name} was kept")),
                (None, Some(_)) => seen.push(format!("{name} was deleted")),
                (Some(value), Some(right)) if value == right => {}
                (Some(value), _) if value == self.value(entry) => {
                    seen.push(format!("{name} was not replaced"));
                }
                (Some(_), _) => seen.push(format!("{name} has changed")),
                (None, None) => {}
            }
        }
        if answer.is_ok() || !seen.is_empty() {
            // What was deleted leaves room for itself, unless its element was lost.
            seen.extend(self.put(TARGET).err().map(|error| format!("{error:#}")));
        }
        Ok((!seen.is_empty()).then(|| seen.join(", ")))
    }
}

fn said(answer: Result<(), Errno>) -> String {
    answer.map_or_else(|errno| format!("-{errno}"), |()| "0".into())
}

/// Bytes that differ from entry to entry and from place to place.
#[allow(clippy::cast_possible_truncation)]
fn pattern(entry: u8, salt: u8, size: u32) -> Vec<u8> {
    (0..size)
        .map(|i| {
            let mixed = (i ^ u32::from(entry) << 16 ^ u32::from(salt) << 8).wrapping_mul(0x9e37_79b1);
            (mixed >> 24) as u8 ^ entry
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_differ_even_in_one_byte_keys_and_places_do_too() {
        for size in [1, 4, 17, 4096] {
            let all: Vec<_> = (0..=ENTRIES).map(|entry| pattern(entry, 0x5a, size)).collect();
            for (i, a) in all.iter().enumerate() {
                assert!(all[..i].iter().all(|b| a != b), "{size} {i}");
            }
        }
        let value = pattern(TARGET, 0, 64);
        assert!((0..60).all(|i| value[i..i + 4] != value[i + 1..i + 5]));
    }
}
