// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one place with the bpf(2) system call. The attribute always goes in full size and zeroed.
//!
//! Why the size matters: a kernel copies only the bytes it is told of and takes the rest for zero. With
//! `BPF_MAP_DELETE_ELEM` and a size below 32 it never sees `flags`, and deletes whatever the value is; with
//! `BPF_MAP_DELETE_BATCH` and a size below 48 it never sees `elem_flags`.

use std::ffi::c_long;
use std::io;
use std::mem::{offset_of, size_of};

use crate::bindings::{self as abi, bpf_attr, bpf_cmd};
use crate::change::Change;

const _: () = {
    assert!(size_of::<bpf_attr>() >= 84);
    assert!(offset_of!(bpf_attr, __bindgen_anon_2.flags) == 24);
    assert!(offset_of!(bpf_attr, __bindgen_anon_2.compare) == 32);
    assert!(offset_of!(bpf_attr, __bindgen_anon_2.compare_offset) == 40);
    assert!(offset_of!(bpf_attr, __bindgen_anon_2.compare_size) == 44);
    assert!(offset_of!(bpf_attr, batch.values) == 24);
    assert!(offset_of!(bpf_attr, batch.elem_flags) == 40);
    assert!(offset_of!(bpf_attr, batch.compare) == 56);
    assert!(offset_of!(bpf_attr, batch.statuses) == 64);
    assert!(offset_of!(bpf_attr, batch.compare_offset) == 72);
    assert!(offset_of!(bpf_attr, batch.compare_size) == 76);
    assert!(offset_of!(bpf_attr, batch.compare_stride) == 80);
    assert!(abi::BPF_F_COMPARE == 32);
};

/// Every bpf(2) command takes this size; it fits a `u32` by far.
#[allow(clippy::cast_possible_truncation)]
const ATTR_SIZE: u32 = size_of::<bpf_attr>() as u32;

/// An attribute of zeroes. Fields are then set one by one, so that padding stays zero: a kernel refuses anything else.
pub(crate) fn zeroed_attr() -> bpf_attr {
    // SAFETY: a union of plain integers and arrays of them, for which all zeroes is a value.
    unsafe { std::mem::zeroed() }
}

/// Asks the kernel; a negative answer is the errno.
///
/// # Safety
/// Whatever address `attr` carries for `command` must be valid for as many bytes as the kernel reads or writes there,
/// or be one at which this process can have nothing.
pub(crate) unsafe fn bpf(command: bpf_cmd, attr: &mut bpf_attr) -> io::Result<c_long> {
    // SAFETY: `attr` is exclusively borrowed and ATTR_SIZE long; the addresses in it are the caller's promise.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), ATTR_SIZE) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// The address of a slice as an attribute carries it.
pub(crate) fn address(bytes: &[u8]) -> u64 {
    bytes.as_ptr().expose_provenance() as u64
}

/// The address of a slice that the kernel writes to.
pub(crate) fn address_mut(bytes: &mut [u8]) -> u64 {
    bytes.as_mut_ptr().expose_provenance() as u64
}

/// `BPF_OBJ_GET_INFO_BY_FD` into `info`, whose type must be that of the object.
///
/// # Safety
/// `I` is a C struct of integers. Addresses in it that the kernel writes to are valid for the lengths beside them.
pub(crate) unsafe fn read_info<I>(fd: i32, info: &mut I) -> io::Result<()> {
    let mut attr = zeroed_attr();
    attr.info.bpf_fd = fd.cast_unsigned();
    attr.info.info_len = u32::try_from(size_of::<I>()).map_err(io::Error::other)?;
    attr.info.info = std::ptr::from_mut(info).expose_provenance() as u64;
    // SAFETY: the kernel writes info_len bytes at most to `info`, which is that long; the rest is the caller's promise.
    unsafe { bpf(abi::BPF_OBJ_GET_INFO_BY_FD, &mut attr) }.map(drop)
}

/// An address in the last page of the address space, where no process can map anything.
pub(crate) const UNREADABLE: u64 = u64::MAX - 4095;

/// What a change of one entry is made of.
pub(crate) struct Element {
    pub(crate) fd: i32,
    /// Addresses of a whole key and, for an update, of a whole value; 0 for a delete.
    pub(crate) key: u64,
    pub(crate) value: u64,
    /// Address of `size` expected bytes.
    pub(crate) expected: u64,
    /// The window in the value.
    pub(crate) offset: u32,
    pub(crate) size: u32,
}

/// The attribute of a change of one entry, with `BPF_F_COMPARE`.
pub(crate) fn element_attr(element: &Element) -> bpf_attr {
    let mut attr = zeroed_attr();
    attr.__bindgen_anon_2.map_fd = element.fd.cast_unsigned();
    attr.__bindgen_anon_2.key = element.key;
    attr.__bindgen_anon_2.__bindgen_anon_1.value = element.value;
    attr.__bindgen_anon_2.flags = abi::BPF_F_COMPARE.into();
    attr.__bindgen_anon_2.compare = element.expected;
    attr.__bindgen_anon_2.compare_offset = element.offset;
    attr.__bindgen_anon_2.compare_size = element.size;
    attr
}

/// Changes one entry with `BPF_F_COMPARE`, and never without.
///
/// # Safety
/// The addresses in `element` are of as many bytes as it says and as keys and values of the map have; or nothing is there.
pub(crate) unsafe fn compare_element(change: Change, element: &Element) -> io::Result<()> {
    // SAFETY: the caller's promise.
    unsafe { bpf(change.of_one().0, &mut element_attr(element)) }.map(drop)
}

/// `BPF_MAP_LOOKUP_ELEM`.
///
/// # Safety
/// `key` and `value` are the addresses of as many bytes as the kernel reads and writes for this map.
pub(crate) unsafe fn lookup(fd: i32, key: u64, value: u64) -> io::Result<()> {
    let mut attr = zeroed_attr();
    attr.__bindgen_anon_2.map_fd = fd.cast_unsigned();
    attr.__bindgen_anon_2.key = key;
    attr.__bindgen_anon_2.__bindgen_anon_1.value = value;
    // SAFETY: the caller's promise.
    unsafe { bpf(abi::BPF_MAP_LOOKUP_ELEM, &mut attr) }.map(drop)
}

/// What a change of many entries is made of.
pub(crate) struct Batch {
    pub(crate) fd: i32,
    /// Addresses of `count` keys, of `count` new values (0 for a delete), and of `count` statuses of 4 bytes.
    pub(crate) keys: u64,
    pub(crate) values: u64,
    pub(crate) statuses: u64,
    pub(crate) count: u32,
    /// Address of the first entry's expected bytes, and how far it is from each entry's to the next one's.
    pub(crate) expected: u64,
    pub(crate) stride: u32,
    /// The window in each value.
    pub(crate) offset: u32,
    pub(crate) size: u32,
}

/// The attribute of a change of many entries, with `BPF_F_COMPARE`.
pub(crate) fn batch_attr(batch: &Batch) -> bpf_attr {
    let mut attr = zeroed_attr();
    attr.batch.map_fd = batch.fd.cast_unsigned();
    attr.batch.keys = batch.keys;
    attr.batch.values = batch.values;
    attr.batch.count = batch.count;
    attr.batch.elem_flags = abi::BPF_F_COMPARE.into();
    attr.batch.compare = batch.expected;
    attr.batch.statuses = batch.statuses;
    attr.batch.compare_offset = batch.offset;
    attr.batch.compare_size = batch.size;
    attr.batch.compare_stride = batch.stride;
    attr
}

/// The address of statuses that the kernel writes to.
pub(crate) fn address_of_statuses(statuses: &mut [i32]) -> u64 {
    statuses.as_mut_ptr().expose_provenance() as u64
}

/// Changes many entries with `BPF_F_COMPARE`, and never without. The number is `count` as the kernel left it, which is what
/// was asked for where the batch was refused as a whole.
///
/// # Safety
/// The addresses are those of `count` keys, values and windows of the map's sizes, and of `count` statuses that are the
/// caller's to write.
pub(crate) unsafe fn compare_batch(change: Change, batch: &Batch) -> (u32, io::Result<()>) {
    let mut attr = batch_attr(batch);
    // SAFETY: the caller's promise.
    let answer = unsafe { bpf(change.of_many().0, &mut attr) };
    // SAFETY: a union of integers, of which this is one in each of its forms.
    (unsafe { attr.batch.count }, answer.map(drop))
}

/// `BPF_MAP_LOOKUP_BATCH` into memory at `keys` and `values`; returns how many of them are filled in.
///
/// # Safety
/// `keys` and `values` are the addresses of `room` keys and values of the map's sizes. `from` and `next` are of as many
/// bytes as the map's positions have; `from` may be 0.
pub(crate) unsafe fn lookup_batch(
    fd: i32,
    (from, next): (u64, u64),
    (keys, values): (u64, u64),
    room: u32,
) -> (u32, io::Result<()>) {
    let mut attr = zeroed_attr();
    attr.batch.map_fd = fd.cast_unsigned();
    attr.batch.in_batch = from;
    attr.batch.out_batch = next;
    attr.batch.keys = keys;
    attr.batch.values = values;
    attr.batch.count = room;
    // SAFETY: the caller's promise.
    let answer = unsafe { bpf(abi::BPF_MAP_LOOKUP_BATCH, &mut attr) };
    // SAFETY: as above.
    (unsafe { attr.batch.count }, answer.map(drop))
}
