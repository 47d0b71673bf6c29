// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map of this crate's own, on which a kernel shows how it behaves.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::bindings as abi;
use crate::change::Change;
use crate::sys::{self, Element, address, address_mut, compare_element, lookup};

/// A map of a few entries, keys of 4 bytes and values of 8.
pub(crate) struct Scratch(OwnedFd);

impl Scratch {
    /// The key of the entry that a probe begins with.
    pub(crate) const KEY: [u8; 4] = *b"key!";

    /// Makes one of this type, which must be one of plain values.
    pub(crate) fn new(map_type: u32) -> io::Result<Self> {
        let mut attr = sys::zeroed_attr();
        attr.__bindgen_anon_1.map_type = map_type;
        attr.__bindgen_anon_1.key_size = 4;
        attr.__bindgen_anon_1.value_size = 8;
        // An LRU map has to have all its elements from the start; the other need not. An update takes an element before it gives
        // the old one back, and each CPU keeps some for itself: with room to spare nothing is evicted.
        let lru = map_type == abi::BPF_MAP_TYPE_LRU_HASH;
        attr.__bindgen_anon_1.max_entries = if lru { 64 } else { 4 };
        attr.__bindgen_anon_1.map_flags = if lru { 0 } else { abi::BPF_F_NO_PREALLOC };
        // SAFETY: no address in it.
        let fd = unsafe { sys::bpf(abi::BPF_MAP_CREATE, &mut attr) }?;
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        // SAFETY: the kernel just made this fd for us, and nobody else knows of it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The fd.
    pub(crate) fn fd(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Stores a value.
    pub(crate) fn put(&self, key: [u8; 4], value: [u8; 8]) -> io::Result<()> {
        let mut attr = sys::zeroed_attr();
        attr.__bindgen_anon_2.map_fd = self.fd().cast_unsigned();
        attr.__bindgen_anon_2.key = address(&key);
        attr.__bindgen_anon_2.__bindgen_anon_1.value = address(&value);
        // SAFETY: key and value are as long as this map's.
        unsafe { sys::bpf(abi::BPF_MAP_UPDATE_ELEM, &mut attr) }.map(drop)
    }

    /// Copies a value out.
    pub(crate) fn get(&self, key: [u8; 4]) -> io::Result<[u8; 8]> {
        let mut value = [0; 8];
        // SAFETY: key and value are as long as this map's.
        unsafe { lookup(self.fd(), address(&key), address_mut(&mut value)) }?;
        Ok(value)
    }

    /// Whether the kernel says that there is no entry with this key.
    pub(crate) fn lacks(&self, key: [u8; 4]) -> bool {
        self.get(key).is_err_and(|error| error.raw_os_error() == Some(libc::ENOENT))
    }

    /// Changes the entry at `key` if the four bytes of its value from `offset` on are as expected.
    pub(crate) fn change(
        &self,
        change: Change,
        key: [u8; 4],
        (offset, expected): (u32, [u8; 4]),
        new: [u8; 8],
    ) -> io::Result<()> {
        let value = if change == Change::Update { address(&new) } else { 0 };
        let (key, expected) = (address(&key), address(&expected));
        let element = Element { fd: self.fd(), key, value, expected, offset, size: 4 };
        // SAFETY: key and value are as long as this map's, the window 4 bytes.
        unsafe { compare_element(change, &element) }
    }
}

impl AsFd for Scratch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
