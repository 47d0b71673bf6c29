// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finding maps and their BTF: by id, by pinned path.

use std::ffi::CString;
use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::bindings::{self as abi, bpf_attr, bpf_btf_info, bpf_cmd};
use crate::{Error, sys};

/// Opens the map with this id. Needs `CAP_SYS_ADMIN`.
///
/// # Errors
/// [`Error::Permission`]; [`Error::Os`] with `-ENOENT` where there is none.
pub fn map_by_id(id: u32) -> Result<OwnedFd, Error> {
    let mut attr = sys::zeroed_attr();
    attr.__bindgen_anon_6.__bindgen_anon_1.map_id = id;
    open("BPF_MAP_GET_FD_BY_ID", abi::BPF_MAP_GET_FD_BY_ID, &mut attr)
}

/// Opens what is pinned at `path` in a bpffs, to read and write. Whether it is a map is found by [`crate::Map::new`].
///
/// # Errors
/// [`Error::Permission`]; [`Error::Os`] with `-ENOENT` where there is nothing, `-EINVAL` where it is no BPF object.
pub fn map_pinned(path: impl AsRef<Path>) -> Result<OwnedFd, Error> {
    const CALL: &str = "BPF_OBJ_GET";
    let path = CString::new(path.as_ref().as_os_str().as_bytes())
        .map_err(|e| Error::Os { call: CALL, source: io::Error::new(io::ErrorKind::InvalidInput, e) })?;
    let mut attr = sys::zeroed_attr();
    // The kernel reads the path up to its zero byte; `path` outlives the call.
    attr.__bindgen_anon_4.pathname = sys::address(path.as_bytes_with_nul());
    open(CALL, abi::BPF_OBJ_GET, &mut attr)
}

/// The lowest map id above `id`, `None` after the last. Needs `CAP_SYS_ADMIN`.
///
/// # Errors
/// [`Error::Permission`], [`Error::Os`].
pub fn next_map_id(id: u32) -> Result<Option<u32>, Error> {
    next_id("BPF_MAP_GET_NEXT_ID", abi::BPF_MAP_GET_NEXT_ID, id)
}

fn next_id(call: &'static str, command: bpf_cmd, id: u32) -> Result<Option<u32>, Error> {
    // Ids are below INT_MAX, and the kernel refuses to look above it.
    if id >= i32::MAX.cast_unsigned() {
        return Ok(None);
    }
    let mut attr = sys::zeroed_attr();
    attr.__bindgen_anon_6.__bindgen_anon_1.start_id = id;
    // SAFETY: these commands take no address.
    match unsafe { sys::bpf(command, &mut attr) } {
        // SAFETY: a union of integers, written by the kernel.
        Ok(_) => Ok(Some(unsafe { attr.__bindgen_anon_6.next_id })),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(Error::from_os(call, error)),
    }
}

/// What the kernel says of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgramInfo {
    /// Its id.
    pub id: u32,
    /// Name, 15 bytes at most; may be empty.
    pub name: String,
    /// Ids of the maps that it uses itself. Maps inside of maps are not among them.
    pub maps: Vec<u32>,
}

/// The beginning of `struct bpf_prog_info`, as long as it is of use here: a kernel fills in no more than it is asked for.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct ProgInfo {
    prog_type: u32,
    id: u32,
    tag: [u8; 8],
    jited_prog_len: u32,
    xlated_prog_len: u32,
    jited_prog_insns: u64,
    xlated_prog_insns: u64,
    load_time: u64,
    created_by_uid: u32,
    nr_map_ids: u32,
    map_ids: u64,
    name: [u8; 16],
}

const _: () = {
    assert!(offset_of!(ProgInfo, nr_map_ids) == 52);
    assert!(offset_of!(ProgInfo, name) == 64);
    assert!(size_of::<ProgInfo>() == 80);
};

/// Every program that is loaded, by rising ids. Needs `CAP_SYS_ADMIN`.
///
/// # Errors
/// [`Error::Permission`], [`Error::Os`]: never a list that lacks some without saying so, but for what is loaded or gone meanwhile.
pub fn programs() -> Result<Vec<ProgramInfo>, Error> {
    let (mut found, mut id) = (Vec::new(), 0);
    while let Some(next) = next_id("BPF_PROG_GET_NEXT_ID", abi::BPF_PROG_GET_NEXT_ID, id)? {
        id = next;
        let mut attr = sys::zeroed_attr();
        attr.__bindgen_anon_6.__bindgen_anon_1.prog_id = id;
        match open("BPF_PROG_GET_FD_BY_ID", abi::BPF_PROG_GET_FD_BY_ID, &mut attr) {
            Ok(fd) => found.push(program_info(&fd)?),
            // It was unloaded in between.
            Err(Error::Os { source, .. }) if source.raw_os_error() == Some(libc::ENOENT) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn program_info(fd: &OwnedFd) -> Result<ProgramInfo, Error> {
    let info_error = |error| Error::from_os("BPF_OBJ_GET_INFO_BY_FD", error);
    let mut info = ProgInfo::default();
    // SAFETY: a plain struct; zero lengths beside zero addresses have the kernel write nothing there.
    unsafe { sys::read_info(fd.as_raw_fd(), &mut info) }.map_err(info_error)?;
    let mut ids = vec![0_u8; 4 * info.nr_map_ids as usize];
    let mut info =
        ProgInfo { map_ids: sys::address_mut(&mut ids), nr_map_ids: info.nr_map_ids, ..ProgInfo::default() };
    // SAFETY: `map_ids` is the address of nr_map_ids numbers of 4 bytes that this function owns.
    unsafe { sys::read_info(fd.as_raw_fd(), &mut info) }.map_err(info_error)?;
    let (maps, _) = ids.as_chunks::<4>();
    let name = info.name.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(ProgramInfo {
        id: info.id,
        name: String::from_utf8_lossy(name).into_owned(),
        maps: maps.iter().map(|id| u32::from_ne_bytes(*id)).collect(),
    })
}

/// Copies out the BTF object with this id, as raw BTF. Needs `CAP_SYS_ADMIN`.
///
/// # Errors
/// [`Error::Permission`], [`Error::Os`].
pub fn btf_by_id(id: u32) -> Result<Vec<u8>, Error> {
    let mut attr = sys::zeroed_attr();
    attr.__bindgen_anon_6.__bindgen_anon_1.btf_id = id;
    let fd = open("BPF_BTF_GET_FD_BY_ID", abi::BPF_BTF_GET_FD_BY_ID, &mut attr)?;
    let info_error = |error| Error::from_os("BPF_OBJ_GET_INFO_BY_FD", error);

    let mut info = bpf_btf_info::default();
    // SAFETY: a plain struct; a zero length beside a zero address has the kernel write nothing there.
    unsafe { sys::read_info(fd.as_raw_fd(), &mut info) }.map_err(info_error)?;
    let mut blob = vec![0; info.btf_size as usize];
    let mut info =
        bpf_btf_info { btf: sys::address_mut(&mut blob), btf_size: info.btf_size, ..Default::default() };
    // SAFETY: `btf` is the address of btf_size bytes that this function owns.
    unsafe { sys::read_info(fd.as_raw_fd(), &mut info) }.map_err(info_error)?;
    Ok(blob)
}

/// A command that returns a new fd and whose attribute carries no address, or that of a C string alive in the caller.
fn open(call: &'static str, command: bpf_cmd, attr: &mut bpf_attr) -> Result<OwnedFd, Error> {
    // SAFETY: see above.
    let answer = unsafe { sys::bpf(command, attr) }.map_err(|error| Error::from_os(call, error))?;
    let fd = i32::try_from(answer).map_err(|e| Error::Os { call, source: io::Error::other(e) })?;
    // SAFETY: the kernel just made this fd for us, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
