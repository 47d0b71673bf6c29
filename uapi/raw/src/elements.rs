// SPDX-License-Identifier: MIT OR Apache-2.0
//! The elements of a map of plain values, at the price of one system call each: what a collector in user space has
//! without compare-and-delete.

use std::mem::offset_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use cmpdel_uapi::Map;
use cmpdel_uapi::bindings::{self as abi, bpf_attr, bpf_cmd};

use crate::Errno;
use crate::attr::Attr;

/// A map whose values are plain bytes of `value_size` for the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'fd> {
    fd: BorrowedFd<'fd>,
    key_size: usize,
    value_size: usize,
}

/// Keys and values, one after the other, as a batch look-up copied them out.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// `count` keys.
    pub keys: Vec<u8>,
    /// `count` values.
    pub values: Vec<u8>,
    /// Entries in it.
    pub count: usize,
}

/// Where a walk of batch look-ups goes on. The kernel's own: the number of a bucket, or a whole key where the map has no
/// buckets that stay (`BPF_MAP_TYPE_RHASH`).
#[derive(Clone, Debug)]
pub struct Position(Box<[u8]>);

impl<'fd> Elements<'fd> {
    /// Reads the sizes.
    ///
    /// # Errors
    /// `-EOPNOTSUPP` for a map type whose values are something else; `-EBADF` for an fd that is no map.
    pub fn new(fd: BorrowedFd<'fd>) -> Result<Self, Errno> {
        const PLAIN: [u32; 4] = [
            abi::BPF_MAP_TYPE_ARRAY,
            abi::BPF_MAP_TYPE_HASH,
            abi::BPF_MAP_TYPE_LRU_HASH,
            abi::BPF_MAP_TYPE_RHASH,
        ];
        let map = Map::new(fd).map_err(|_| Errno(libc::EBADF))?;
        let info = map.info();
        if !PLAIN.contains(&info.map_type) {
            return Err(Errno(libc::EOPNOTSUPP));
        }
        Ok(Self { fd, key_size: info.key_size as usize, value_size: info.value_size as usize })
    }

    /// The map.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'fd> {
        self.fd
    }

    /// Bytes in a key.
    #[must_use]
    pub fn key_size(&self) -> usize {
        self.key_size
    }

    /// Bytes in a value.
    #[must_use]
    pub fn value_size(&self) -> usize {
        self.value_size
    }

    /// Copies the value at `key` out.
    ///
    /// # Errors
    /// The kernel's; `-EINVAL` for slices of another size.
    pub fn look_up(&self, key: &[u8], value: &mut [u8], flags: u64) -> Result<(), Errno> {
        self.element(abi::BPF_MAP_LOOKUP_ELEM, key, Some(value), flags)
    }

    /// Copies the value at `key` out and removes the entry.
    ///
    /// # Errors
    /// The kernel's; `-EINVAL` for slices of another size.
    pub fn take(&self, key: &[u8], value: &mut [u8], flags: u64) -> Result<(), Errno> {
        self.element(abi::BPF_MAP_LOOKUP_AND_DELETE_ELEM, key, Some(value), flags)
    }

    /// Stores a value at `key`.
    ///
    /// # Errors
    /// The kernel's; `-EINVAL` for slices of another size.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), Errno> {
        // The kernel only reads it; a copy keeps that out of the caller's hands.
        let mut value = value.to_vec();
        self.element(abi::BPF_MAP_UPDATE_ELEM, key, Some(&mut value), flags)
    }

    /// Removes the entry at `key`, whatever its value.
    ///
    /// # Errors
    /// The kernel's; `-EINVAL` for a slice of another size.
    pub fn delete(&self, key: &[u8]) -> Result<(), Errno> {
        self.element(abi::BPF_MAP_DELETE_ELEM, key, None, 0)
    }

    /// The key that a walk meets after that one, or first; `None` at its end.
    ///
    /// # Errors
    /// The kernel's; `-EINVAL` for a slice of another size.
    pub fn next_key(&self, after: Option<&[u8]>) -> Result<Option<Vec<u8>>, Errno> {
        if after.is_some_and(|key| key.len() != self.key_size) {
            return Err(Errno(libc::EINVAL));
        }
        let mut next = vec![0; self.key_size];
        let mut attr = self.whole_attr(offset_of!(bpf_attr, __bindgen_anon_2.map_fd));
        let after = after.map_or(0, |key| key.as_ptr() as u64);
        attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.key), after);
        let to = next.as_mut_ptr() as u64;
        attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.__bindgen_anon_1.next_key), to);
        // SAFETY: the kernel reads a key at `after`, if there is one, and writes one to `next`: both are as long as the
        // map's and live for the call.
        match unsafe { attr.send(abi::BPF_MAP_GET_NEXT_KEY) } {
            Ok(_) => Ok(Some(next)),
            Err(Errno(libc::ENOENT)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Copies out the next buckets, `room` entries at most, into `snapshot`. `None` is where a walk begins and ends.
    ///
    /// # Errors
    /// The kernel's; `-ENOSPC`: a bucket holds more than `room`.
    pub fn look_up_batch(
        &self,
        from: Option<&Position>,
        room: u32,
        snapshot: &mut Snapshot,
    ) -> Result<Option<Position>, Errno> {
        snapshot.keys.resize(room as usize * self.key_size, 0);
        snapshot.values.resize(room as usize * self.value_size, 0);
        let mut next = vec![0; self.position_size()].into_boxed_slice();
        let mut attr = self.whole_attr(offset_of!(bpf_attr, batch.map_fd));
        let start = from.map_or(0, |position| position.0.as_ptr() as u64);
        if from.is_some_and(|position| position.0.len() != next.len()) {
            return Err(Errno(libc::EINVAL));
        }
        attr.u64(offset_of!(bpf_attr, batch.in_batch), start);
        attr.u64(offset_of!(bpf_attr, batch.out_batch), next.as_mut_ptr() as u64);
        attr.u64(offset_of!(bpf_attr, batch.keys), snapshot.keys.as_mut_ptr() as u64);
        attr.u64(offset_of!(bpf_attr, batch.values), snapshot.values.as_mut_ptr() as u64);
        attr.u32(offset_of!(bpf_attr, batch.count), room);
        // SAFETY: the kernel writes at most `room` keys and values of the map's own sizes, which the two vectors hold, and
        // to `next` a bucket's number of 32 bits or a key; it reads as much at `start`, which `from` holds for the call.
        let answer = unsafe { attr.send(abi::BPF_MAP_LOOKUP_BATCH) };
        snapshot.count = attr.read_u32(offset_of!(bpf_attr, batch.count)) as usize;
        match answer {
            Ok(_) => Ok(Some(Position(next))),
            // The walk is over; what was copied is good.
            Err(Errno(libc::ENOENT)) => Ok(None),
            Err(error) => {
                snapshot.count = 0;
                Err(error)
            }
        }
    }

    /// Bytes of what a walk goes on from: a bucket's number, or a key.
    fn position_size(&self) -> usize {
        self.key_size.max(size_of::<u32>())
    }

    fn element(
        &self,
        command: bpf_cmd,
        key: &[u8],
        value: Option<&mut [u8]>,
        flags: u64,
    ) -> Result<(), Errno> {
        let fits = value.as_ref().is_none_or(|value| value.len() == self.value_size);
        if key.len() != self.key_size || !fits {
            return Err(Errno(libc::EINVAL));
        }
        let mut attr = self.whole_attr(offset_of!(bpf_attr, __bindgen_anon_2.map_fd));
        attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.key), key.as_ptr() as u64);
        if let Some(value) = value {
            let address = value.as_mut_ptr() as u64;
            attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.__bindgen_anon_1.value), address);
        }
        attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.flags), flags);
        // SAFETY: key and value are as long as the map's, which for the types that `new` lets in is what the kernel reads
        // and writes; both are borrowed for the call.
        unsafe { attr.send(command) }.map(drop)
    }

    fn whole_attr(&self, map_fd: usize) -> Attr {
        let mut attr = Attr::whole();
        attr.i32(map_fd, self.fd.as_raw_fd());
        attr
    }
}

impl Snapshot {
    /// The keys and values that the kernel filled in.
    pub fn entries(&self, elements: &Elements<'_>) -> impl Iterator<Item = (&[u8], &[u8])> {
        let keys = self.keys.chunks_exact(elements.key_size);
        keys.zip(self.values.chunks_exact(elements.value_size)).take(self.count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::fd::{AsFd as _, OwnedFd};

    use super::*;
    use crate::{Create, map_create};

    const KEY: u32 = 14;
    const ENTRIES: u32 = 300;

    /// `None`: this kernel does not have, or does not let us make, maps of that type.
    fn full_map(map_type: u32, flags: u32) -> Option<OwnedFd> {
        let create = Create {
            map_type,
            key_size: KEY,
            value_size: 56,
            max_entries: ENTRIES,
            flags,
            ..Create::default()
        };
        let fd = map_create(&create).ok()?;
        let elements = Elements::new(fd.as_fd()).unwrap();
        for number in 0..ENTRIES {
            elements.update(&key(number), &[1; 56], abi::BPF_ANY.into()).unwrap();
        }
        Some(fd)
    }

    fn key(number: u32) -> [u8; KEY as usize] {
        let mut key = [0xee; KEY as usize];
        key[KEY as usize - 4..].copy_from_slice(&number.to_be_bytes());
        key
    }

    /// Every key, as a walk in small steps comes by it.
    fn walk(fd: &OwnedFd) -> BTreeSet<Vec<u8>> {
        let elements = Elements::new(fd.as_fd()).unwrap();
        let (mut position, mut snapshot, mut keys) = (None, Snapshot::default(), BTreeSet::new());
        loop {
            position = elements.look_up_batch(position.as_ref(), 64, &mut snapshot).unwrap();
            keys.extend(snapshot.entries(&elements).map(|(key, _)| key.to_vec()));
            if position.is_none() {
                return keys;
            }
        }
    }

    #[test]
    fn a_walk_goes_on_from_a_whole_key_where_the_kernel_wants_one() {
        let types = [(abi::BPF_MAP_TYPE_HASH, 0), (abi::BPF_MAP_TYPE_RHASH, abi::BPF_F_NO_PREALLOC)];
        for (map_type, flags) in types {
            let Some(fd) = full_map(map_type, flags) else {
                println!("skipped: this kernel makes no map of type {map_type} here");
                continue;
            };
            assert_eq!(walk(&fd), (0..ENTRIES).map(|number| key(number).to_vec()).collect());
        }
    }
}
