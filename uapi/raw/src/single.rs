// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deleting or updating one entry, with every field as given.

use std::mem::offset_of;

use cmpdel_uapi::bindings::{self as abi, bpf_attr, bpf_cmd};

use crate::attr::Attr;
use crate::{Errno, Ptr};

/// What is done to an entry, or to each of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is deleted.
    Delete,
    /// It gets another value.
    Update,
}

impl Command {
    fn single(self) -> bpf_cmd {
        match self {
            Self::Delete => abi::BPF_MAP_DELETE_ELEM,
            Self::Update => abi::BPF_MAP_UPDATE_ELEM,
        }
    }
}

/// The fields of `BPF_MAP_DELETE_ELEM` and `BPF_MAP_UPDATE_ELEM`.
#[derive(Clone, Copy, Debug)]
pub struct Single<'a> {
    /// Which of the two.
    pub command: Command,
    /// The map's fd, or any number.
    pub fd: i32,
    /// The key.
    pub key: Ptr<'a>,
    /// The new value; a delete takes none.
    pub value: Ptr<'a>,
    /// The flags.
    pub flags: u64,
    /// The expected bytes.
    pub compare: Ptr<'a>,
    /// First byte of the window.
    pub compare_offset: u32,
    /// Bytes in the window, whatever the length behind `compare`.
    pub compare_size: u32,
    /// One byte set on top of all the rest, at its offset into the attribute.
    pub trailing: Option<(usize, u8)>,
}

impl<'a> Single<'a> {
    /// A proper compare-and-delete, to be spoilt in the field under test: `Single { flags: 4, ..Single::compare(…) }`.
    ///
    /// A window of more than 4 GiB is cut off.
    #[must_use]
    pub fn compare(fd: i32, key: &'a [u8], offset: u32, expected: &'a [u8]) -> Self {
        Self {
            flags: abi::BPF_F_COMPARE.into(),
            compare: Ptr::Bytes(expected),
            compare_offset: offset,
            compare_size: u32::try_from(expected.len()).unwrap_or(u32::MAX),
            ..Self::plain(fd, key)
        }
    }

    /// A delete without a condition.
    #[must_use]
    pub fn plain(fd: i32, key: &'a [u8]) -> Self {
        Self {
            command: Command::Delete,
            fd,
            key: Ptr::Bytes(key),
            value: Ptr::Null,
            flags: 0,
            compare: Ptr::Null,
            compare_offset: 0,
            compare_size: 0,
            trailing: None,
        }
    }

    /// The same as an update to `value`.
    #[must_use]
    pub fn updating(self, value: &'a [u8]) -> Self {
        Self { command: Command::Update, value: Ptr::Bytes(value), ..self }
    }

    /// Sends it, the kernel being told of `attr_size` bytes of the attribute.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send(&self, attr_size: u32) -> Result<(), Errno> {
        let (key, value, compare) = (self.key.place()?, self.value.place()?, self.compare.place()?);
        let mut attr = Attr::new(attr_size);
        attr.i32(offset_of!(bpf_attr, __bindgen_anon_2.map_fd), self.fd);
        attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.key), key.address);
        attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.__bindgen_anon_1.value), value.address);
        attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.flags), self.flags);
        attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.compare), compare.address);
        attr.u32(offset_of!(bpf_attr, __bindgen_anon_2.compare_offset), self.compare_offset);
        attr.u32(offset_of!(bpf_attr, __bindgen_anon_2.compare_size), self.compare_size);
        if let Some((offset, byte)) = self.trailing {
            attr.byte(offset, byte);
        }
        // SAFETY: both commands write nothing to user memory; what they read ends at a guard page or is not readable at
        // all. A `trailing` byte inside an address can at worst have the kernel read other memory of this process, and put
        // it into the caller's own map.
        unsafe { attr.send(self.command.single()) }.map(drop)
    }
}

/// Bytes of the attribute up to the last field of a comparison: the least that carries it.
pub const COMPARE_ATTR_SIZE: u32 = 48;
