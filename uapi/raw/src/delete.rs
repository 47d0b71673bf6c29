// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deleting one entry or many, with every field as given.

use std::mem::offset_of;
use std::ops::Range;

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
    /// The values, one after the other.
    pub values: Ptr<'a>,
    /// Where the kernel writes the statuses, and what is there before.
    pub statuses: Ptr<'a>,
    /// How many keys.
    pub count: u32,
    /// Flags of each element.
    pub elem_flags: u64,
    /// Flags of the batch.
    pub flags: u64,
    /// Two pointers that this command does not take: numbers, followed by no kernel.
    pub in_batch: u64,
    /// The other one.
    pub out_batch: u64,
    /// First byte of the window in each value.
    pub compare_offset: u32,
    /// Bytes in the window.
    pub compare_size: u32,
    /// One byte set on top of all the rest, at its offset into the attribute. It is left out where it would lie in a
    /// field, since the kernel writes to the address in one of them.
    pub trailing: Option<(usize, u8)>,
}

impl<'a> Batch<'a> {
    /// A batch of proper compare-and-deletes, to be spoilt in the field under test. Its statuses are all
    /// [`UNTOUCHED_STATUS`] before the call; there is room for [`MAX_STATUSES`] of them.
    #[must_use]
    pub fn compare(fd: i32, keys: &'a [u8], values: &'a [u8], count: u32, window: Range<u32>) -> Self {
        Self {
            values: Ptr::Bytes(values),
            statuses: Ptr::Bytes(&UNTOUCHED[..UNTOUCHED.len().min(count as usize * 4)]),
            elem_flags: abi::BPF_F_COMPARE.into(),
            compare_offset: window.start,
            compare_size: window.end.wrapping_sub(window.start),
            ..Self::plain(fd, keys, count)
        }
    }

    /// A batch of deletes without a condition.
    #[must_use]
    pub fn plain(fd: i32, keys: &'a [u8], count: u32) -> Self {
        Self {
            fd,
            keys: Ptr::Bytes(keys),
            values: Ptr::Null,
            statuses: Ptr::Null,
            count,
            elem_flags: 0,
            flags: 0,
            in_batch: 0,
            out_batch: 0,
            compare_offset: 0,
            compare_size: 0,
            trailing: None,
        }
    }
}

/// No errno: a status that the kernel did not write.
pub const UNTOUCHED_STATUS: i32 = i32::from_ne_bytes([0x55; 4]);
/// As many statuses [`Batch::compare`] has room for.
pub const MAX_STATUSES: usize = 2048;
static UNTOUCHED: [u8; MAX_STATUSES * 4] = [0x55; MAX_STATUSES * 4];

/// Bytes of the attribute up to the last field of a batch that compares.
pub const COMPARE_BATCH_ATTR_SIZE: u32 = 72;

/// What the kernel made of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchAnswer {
    /// Success or errno.
    pub answer: Result<(), Errno>,
    /// `count` as the kernel left it.
    pub count: u32,
    /// The statuses as the kernel left them, as many as there was room for.
    pub statuses: Vec<i32>,
}

/// `BPF_MAP_DELETE_BATCH`, the kernel being told of `attr_size` bytes.
#[must_use]
pub fn delete_batch(batch: &Batch<'_>, attr_size: u32) -> BatchAnswer {
    let placed = [batch.keys, batch.values, batch.statuses].map(Ptr::place);
    let [Ok(keys), Ok(values), Ok(statuses)] = placed else {
        return BatchAnswer { answer: Err(Errno(libc::ENOMEM)), count: batch.count, statuses: Vec::new() };
    };
    let count = offset_of!(bpf_attr, batch.count);
    let mut attr = Attr::new(attr_size);
    attr.u64(offset_of!(bpf_attr, batch.in_batch), batch.in_batch);
    attr.u64(offset_of!(bpf_attr, batch.out_batch), batch.out_batch);
    attr.u64(offset_of!(bpf_attr, batch.keys), keys.address);
    attr.u64(offset_of!(bpf_attr, batch.values), values.address);
    attr.u32(count, batch.count);
    attr.i32(offset_of!(bpf_attr, batch.map_fd), batch.fd);
    attr.u64(offset_of!(bpf_attr, batch.elem_flags), batch.elem_flags);
    attr.u64(offset_of!(bpf_attr, batch.flags), batch.flags);
    attr.u64(offset_of!(bpf_attr, batch.statuses), statuses.address);
    attr.u32(offset_of!(bpf_attr, batch.compare_offset), batch.compare_offset);
    attr.u32(offset_of!(bpf_attr, batch.compare_size), batch.compare_size);
    if let Some((offset, byte)) = batch.trailing.filter(|&(at, _)| at >= COMPARE_BATCH_ATTR_SIZE as usize) {
        attr.byte(offset, byte);
    }
    // SAFETY: writes `count` back into the attribute, and statuses up to the guard page behind them, to pages that are
    // ours alone. An attribute too short for the whole address of the statuses is too short for the size of the window,
    // and without one nothing is written. For what it reads see `delete_elem`.
    let answer = unsafe { attr.send(abi::BPF_MAP_DELETE_BATCH) };
    let written = statuses.contents();
    let statuses = written.as_chunks().0.iter().map(|&status| i32::from_ne_bytes(status)).collect();
    BatchAnswer { answer: answer.map(drop), count: attr.read_u32(count), statuses }
}
