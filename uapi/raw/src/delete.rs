// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deleting one entry or many, with every field as given.

use std::mem::offset_of;

use cmpdel_uapi::bindings::{self as abi, bpf_attr};

use crate::attr::Attr;
use crate::{Errno, Ptr};

/// The fields of `BPF_MAP_DELETE_ELEM`.
#[derive(Clone, Copy, Debug)]
pub struct Delete<'a> {
    /// The map's fd, or any number.
    pub fd: i32,
    /// The key.
    pub key: Ptr<'a>,
    /// The value pointer, which this command does not take: a number, read by no kernel.
    pub value: u64,
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

impl<'a> Delete<'a> {
    /// A proper compare-and-delete, to be spoilt in the field under test: `Delete { flags: 4, ..Delete::compare(…) }`.
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
            fd,
            key: Ptr::Bytes(key),
            value: 0,
            flags: 0,
            compare: Ptr::Null,
            compare_offset: 0,
            compare_size: 0,
            trailing: None,
        }
    }
}

/// Bytes of the attribute up to the last field of compare-and-delete: the least that carries it.
pub const COMPARE_ATTR_SIZE: u32 = 48;

/// `BPF_MAP_DELETE_ELEM`, the kernel being told of `attr_size` bytes of the attribute.
///
/// # Errors
/// The kernel's.
pub fn delete_elem(delete: &Delete<'_>, attr_size: u32) -> Result<(), Errno> {
    let (key, compare) = (delete.key.place()?, delete.compare.place()?);
    let mut attr = Attr::new(attr_size);
    attr.i32(offset_of!(bpf_attr, __bindgen_anon_2.map_fd), delete.fd);
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.key), key.address);
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.__bindgen_anon_1.value), delete.value);
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.flags), delete.flags);
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.compare), compare.address);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_2.compare_offset), delete.compare_offset);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_2.compare_size), delete.compare_size);
    if let Some((offset, byte)) = delete.trailing {
        attr.byte(offset, byte);
    }
    // SAFETY: a delete writes nothing to user memory; what it reads ends at a guard page or is not readable at all. A
    // `trailing` byte inside an address can at worst have the kernel read other memory of this process, and tell no
    // more of it than an errno.
    unsafe { attr.send(abi::BPF_MAP_DELETE_ELEM) }.map(drop)
}

/// The fields of `BPF_MAP_DELETE_BATCH`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The map's fd, or any number.
    pub fd: i32,
    /// The keys, one after the other.
    pub keys: Ptr<'a>,
    /// How many keys.
    pub count: u32,
    /// Flags of each element.
    pub elem_flags: u64,
    /// Flags of the batch.
    pub flags: u64,
    /// One byte set on top of all the rest, at its offset into the attribute.
    pub trailing: Option<(usize, u8)>,
}

/// `BPF_MAP_DELETE_BATCH`, the kernel being told of `attr_size` bytes. The number is `count` as the kernel left it: the
/// keys deleted, where it got that far.
///
/// # Errors
/// The kernel's, beside the count.
pub fn delete_batch(batch: &Batch<'_>, attr_size: u32) -> (u32, Result<(), Errno>) {
    let keys = match batch.keys.place() {
        Ok(keys) => keys,
        Err(error) => return (batch.count, Err(error)),
    };
    let count = offset_of!(bpf_attr, batch.count);
    let mut attr = Attr::new(attr_size);
    attr.u64(offset_of!(bpf_attr, batch.keys), keys.address);
    attr.u32(count, batch.count);
    attr.i32(offset_of!(bpf_attr, batch.map_fd), batch.fd);
    attr.u64(offset_of!(bpf_attr, batch.elem_flags), batch.elem_flags);
    attr.u64(offset_of!(bpf_attr, batch.flags), batch.flags);
    if let Some((offset, byte)) = batch.trailing {
        attr.byte(offset, byte);
    }
    // SAFETY: writes `count` back into the attribute and nothing else; for what it reads see `delete_elem`.
    let answer = unsafe { attr.send(abi::BPF_MAP_DELETE_BATCH) };
    (attr.read_u32(count), answer.map(drop))
}
