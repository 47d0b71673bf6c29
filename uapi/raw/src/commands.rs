// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tests need to set the stage: maps of every type, entries, BTF, pins, fds of other modes.

use std::ffi::CString;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use cmpdel_uapi::bindings::{self as abi, bpf_attr, bpf_cmd};

use crate::attr::Attr;
use crate::{Errno, Ptr};

/// The fields of `BPF_MAP_CREATE`; zero where left out. Those that carry an address are not offered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Create<'a> {
    /// `enum bpf_map_type`.
    pub map_type: u32,
    /// Bytes in a key.
    pub key_size: u32,
    /// Bytes in a value.
    pub value_size: u32,
    /// Entries it can hold.
    pub max_entries: u32,
    /// `BPF_F_*`; with `BPF_F_WRONLY` or `BPF_F_RDONLY` the fd returned is of that mode.
    pub flags: u32,
    /// For maps of maps.
    pub inner_map_fd: i32,
    /// 15 bytes are kept.
    pub name: &'a str,
    /// Device, for offloaded maps.
    pub ifindex: u32,
    /// BTF object that describes key and value.
    pub btf_fd: i32,
    /// Type of the key in it.
    pub btf_key_type_id: u32,
    /// Type of the value in it.
    pub btf_value_type_id: u32,
    /// For struct_ops.
    pub btf_vmlinux_value_type_id: u32,
    /// What it means depends on the map type.
    pub map_extra: u64,
}

/// Makes a map.
///
/// # Errors
/// The kernel's.
pub fn map_create(create: &Create<'_>) -> Result<OwnedFd, Errno> {
    let mut attr = Attr::whole();
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_1.map_type), create.map_type);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_1.key_size), create.key_size);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_1.value_size), create.value_size);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_1.max_entries), create.max_entries);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_1.map_flags), create.flags);
    attr.i32(offset_of!(bpf_attr, __bindgen_anon_1.inner_map_fd), create.inner_map_fd);
    let name = create.name.as_bytes();
    attr.bytes(offset_of!(bpf_attr, __bindgen_anon_1.map_name), &name[..name.len().min(15)]);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_1.map_ifindex), create.ifindex);
    attr.i32(offset_of!(bpf_attr, __bindgen_anon_1.btf_fd), create.btf_fd);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_1.btf_key_type_id), create.btf_key_type_id);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_1.btf_value_type_id), create.btf_value_type_id);
    attr.u32(
        offset_of!(bpf_attr, __bindgen_anon_1.btf_vmlinux_value_type_id),
        create.btf_vmlinux_value_type_id,
    );
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_1.map_extra), create.map_extra);
    // SAFETY: no address in it.
    unsafe { open(abi::BPF_MAP_CREATE, &mut attr) }
}

/// `BPF_MAP_UPDATE_ELEM`.
///
/// # Errors
/// The kernel's; `-EFAULT` where key or value is shorter than the map's.
pub fn update(map: BorrowedFd<'_>, key: &[u8], value: &[u8], flags: u64) -> Result<(), Errno> {
    let (key, value) = (Ptr::Bytes(key).place()?, Ptr::Bytes(value).place()?);
    let mut attr = Attr::whole();
    attr.i32(offset_of!(bpf_attr, __bindgen_anon_2.map_fd), map.as_raw_fd());
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.key), key.address);
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.__bindgen_anon_1.value), value.address);
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_2.flags), flags);
    // SAFETY: an update only reads; key and value end at a guard page.
    unsafe { attr.send(abi::BPF_MAP_UPDATE_ELEM) }.map(drop)
}

/// `BPF_MAP_FREEZE`: no more writing through bpf(2).
///
/// # Errors
/// The kernel's.
pub fn freeze(map: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut attr = Attr::whole();
    attr.i32(offset_of!(bpf_attr, __bindgen_anon_2.map_fd), map.as_raw_fd());
    // SAFETY: no address in it.
    unsafe { attr.send(abi::BPF_MAP_FREEZE) }.map(drop)
}

/// Another fd of the map with this id; `flags` may be `BPF_F_RDONLY` or `BPF_F_WRONLY`.
///
/// # Errors
/// The kernel's.
pub fn fd_by_id(id: u32, flags: u32) -> Result<OwnedFd, Errno> {
    let mut attr = Attr::whole();
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_6.__bindgen_anon_1.map_id), id);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_6.open_flags), flags);
    // SAFETY: no address in it.
    unsafe { open(abi::BPF_MAP_GET_FD_BY_ID, &mut attr) }
}

/// Pins a BPF object at a path in a bpffs.
///
/// # Errors
/// The kernel's; `-EINVAL` for a path with a zero byte.
pub fn pin(object: BorrowedFd<'_>, path: &Path) -> Result<(), Errno> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno(libc::EINVAL))?;
    let path = Ptr::Bytes(path.as_bytes_with_nul()).place()?;
    let mut attr = Attr::whole();
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_4.pathname), path.address);
    attr.i32(offset_of!(bpf_attr, __bindgen_anon_4.bpf_fd), object.as_raw_fd());
    // SAFETY: the kernel reads the path up to its zero byte.
    unsafe { attr.send(abi::BPF_OBJ_PIN) }.map(drop)
}

/// Loads raw BTF.
///
/// # Errors
/// The kernel's.
pub fn btf_load(blob: &[u8]) -> Result<OwnedFd, Errno> {
    let placed = Ptr::Bytes(blob).place()?;
    let mut attr = Attr::whole();
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_7.btf), placed.address);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_7.btf_size), u32::try_from(blob.len()).unwrap_or(u32::MAX));
    // SAFETY: the blob ends at a guard page; without a log buffer the kernel writes nothing.
    unsafe { open(abi::BPF_BTF_LOAD, &mut attr) }
}

/// Loads a socket filter that returns 0: a file that is a BPF object and no map.
///
/// # Errors
/// The kernel's.
pub fn program() -> Result<OwnedFd, Errno> {
    const SOCKET_FILTER: u32 = 1;
    // r0 = 0; exit
    const CODE: [u8; 16] = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
    let (code, licence) = (Ptr::Bytes(&CODE).place()?, Ptr::Bytes(b"GPL\0").place()?);
    let mut attr = Attr::whole();
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_3.prog_type), SOCKET_FILTER);
    attr.u32(offset_of!(bpf_attr, __bindgen_anon_3.insn_cnt), 2);
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_3.insns), code.address);
    attr.u64(offset_of!(bpf_attr, __bindgen_anon_3.license), licence.address);
    // SAFETY: both buffers end at a guard page; without a log buffer the kernel writes nothing.
    unsafe { open(abi::BPF_PROG_LOAD, &mut attr) }
}

/// A command that returns a new fd.
///
/// # Safety
/// As [`Attr::send`].
unsafe fn open(command: bpf_cmd, attr: &mut Attr) -> Result<OwnedFd, Errno> {
    // SAFETY: the caller's promise.
    let fd = unsafe { attr.send(command) }?;
    let fd = i32::try_from(fd).map_err(|_| Errno(libc::EBADF))?;
    // SAFETY: the kernel just made this fd for us, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
