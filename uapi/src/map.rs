// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map behind a borrowed fd: what it looks like, compare-and-delete, look-up.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::bindings::{self as abi, bpf_map_info};
use crate::probe::{Differs, require};
use crate::sys::{self, address, address_mut, delete_compare, lookup};
use crate::{Error, Outcome, Window};

/// What the kernel says of a map (`BPF_OBJ_GET_INFO_BY_FD`). None of it changes in the life of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MapInfo {
    /// `enum bpf_map_type`.
    pub map_type: u32,
    /// The id, unique among the maps of this kernel that are alive.
    pub id: u32,
    /// Bytes in a key.
    pub key_size: u32,
    /// Bytes in a value; in a per-CPU map, in the value of one CPU.
    pub value_size: u32,
    /// Entries it can hold.
    pub max_entries: u32,
    /// `BPF_F_*` flags of its creation.
    pub flags: u32,
    /// Name, 15 bytes at most; may be empty.
    pub name: String,
    /// BTF object that describes it, or 0.
    pub btf_id: u32,
    /// Type of the key in that BTF, or 0.
    pub btf_key_type_id: u32,
    /// Type of the value in that BTF, or 0.
    pub btf_value_type_id: u32,
    /// What it means depends on the map type.
    pub map_extra: u64,
}

/// A BPF map. Made once, it deletes with one system call an entry.
#[derive(Clone, Debug)]
pub struct Map<'fd> {
    fd: BorrowedFd<'fd>,
    info: MapInfo,
}

/// Compare-and-delete on a map seldom used: [`Map::new`] and [`Map::delete_if_eq`] in one.
///
/// # Errors
/// Those of the two.
pub fn delete_if_eq(map: BorrowedFd<'_>, key: &[u8], window: Window<'_>) -> Result<Outcome, Error> {
    Map::new(map)?.delete_if_eq(key, window)
}

impl<'fd> Map<'fd> {
    /// Reads what the kernel says of the map behind `fd`.
    ///
    /// # Errors
    /// [`Error::NotAMap`], [`Error::Permission`], [`Error::NoBpf`], [`Error::Os`].
    pub fn new(fd: BorrowedFd<'fd>) -> Result<Self, Error> {
        Ok(Self { fd, info: MapInfo::read(fd)? })
    }

    pub(crate) fn raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// What the kernel says of the map.
    #[must_use]
    pub fn info(&self) -> &MapInfo {
        &self.info
    }

    /// Deletes the entry at `key` if, and only if, the window of its value equals the expected bytes.
    ///
    /// Atomic against every writer that takes the bucket's lock (each update and delete through bpf(2) or a helper);
    /// not against a program that stores through a pointer it looked up before.
    ///
    /// # Errors
    /// Nothing was deleted. [`Error::KeySize`] and [`Error::BadWindow`] are found here; then [`crate::probe()`] may say
    /// [`Error::UnsupportedKernel`], [`Error::NoBpf`] or [`Error::Permission`], and
    /// [`crate::probe_map_type()`] [`Error::UnsupportedMap`]; then the kernel [`Error::UnsupportedMap`] (`-EOPNOTSUPP`), [`Error::Permission`] (`-EPERM`: the fd may not read and write, the map is
    /// frozen) or [`Error::Os`] (`-ENOMEM`, and `-EDEADLK` or `-ETIMEDOUT` from the bucket's lock).
    pub fn delete_if_eq(&self, key: &[u8], window: Window<'_>) -> Result<Outcome, Error> {
        let size = self.check_arguments(key, window)?;
        let differs = require(self.info.map_type)?;
        // SAFETY: check_arguments saw `key` to be key_size long and `size` to be the length of `expected`. These are what
        // the kernel reads: a shorter key would have it read beyond the slice.
        let answer = unsafe {
            delete_compare(self.fd.as_raw_fd(), address(key), address(window.expected), window.offset, size)
        };
        match answer {
            Ok(()) => Ok(Outcome::Deleted),
            Err(error) => self.sort(error, differs),
        }
    }

    /// Asks the kernel whether it would take [`Map::delete_if_eq`] on this map through this fd. Deletes nothing,
    /// whatever the kernel: the expected bytes it is pointed to cannot be read.
    ///
    /// # Errors
    /// As [`Map::delete_if_eq`], the arguments' own excepted.
    pub fn check(&self) -> Result<(), Error> {
        if self.info.key_size == 0 || self.info.value_size == 0 {
            return Err(Error::UnsupportedMap { map_type: self.info.map_type });
        }
        let differs = require(self.info.map_type)?;
        let key = vec![0; self.info.key_size as usize];
        // SAFETY: the key is key_size long; at UNREADABLE this process can have nothing.
        let answer = unsafe { delete_compare(self.fd.as_raw_fd(), address(&key), UNREADABLE, 0, 1) };
        match answer {
            // The map and the fd are checked before the expected bytes are copied.
            Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(()),
            Err(error) => Err(unexpected(self.sort(error, differs)?)),
            Ok(()) => Err(unexpected(Outcome::Deleted)),
        }
    }

    /// Copies out the value at `key`, `None` where there is none.
    ///
    /// # Errors
    /// [`Error::KeySize`]; [`Error::UnsupportedMap`] for any type whose values are not plain bytes of `value_size` (the
    /// kernel would write another number of them); [`Error::Permission`]; [`Error::Os`].
    pub fn lookup(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.check_plain()?;
        self.check_key(key)?;
        let mut value = vec![0; self.info.value_size as usize];
        // SAFETY: `key` is key_size long and `value` value_size, which for these types is what the kernel reads and writes.
        match unsafe { lookup(self.fd.as_raw_fd(), address(key), address_mut(&mut value)) } {
            Ok(()) => Ok(Some(value)),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            Err(error) => Err(Error::from_os("BPF_MAP_LOOKUP_ELEM", error)),
        }
    }

    /// Only of these types the kernel reads and writes as many bytes of a value as the map says.
    pub(crate) fn check_plain(&self) -> Result<(), Error> {
        const PLAIN: [u32; 3] = [abi::BPF_MAP_TYPE_HASH, abi::BPF_MAP_TYPE_LRU_HASH, abi::BPF_MAP_TYPE_RHASH];
        if PLAIN.contains(&self.info.map_type) {
            return Ok(());
        }
        Err(Error::UnsupportedMap { map_type: self.info.map_type })
    }

    /// A matter of soundness, not of courtesy: the kernel reads `key_size` bytes, however long the slice is.
    fn check_key(&self, key: &[u8]) -> Result<(), Error> {
        if u32::try_from(key.len()) == Ok(self.info.key_size) {
            return Ok(());
        }
        Err(Error::KeySize { given: key.len(), expected: self.info.key_size })
    }

    /// The size of the window, once key and window are seen to fit.
    fn check_arguments(&self, key: &[u8], window: Window<'_>) -> Result<u32, Error> {
        // No map without keys or values is a hash.
        if self.info.key_size == 0 || self.info.value_size == 0 {
            return Err(Error::UnsupportedMap { map_type: self.info.map_type });
        }
        self.check_key(key)?;
        self.check_window(window.offset, window.expected.len())
    }

    /// The size of a window, once it is seen to fit.
    pub(crate) fn check_window(&self, offset: u32, size: usize) -> Result<u32, Error> {
        let value_size = self.info.value_size;
        let bad = Error::BadWindow { offset, size, value_size };
        let Ok(size) = u32::try_from(size) else { return Err(bad) };
        // As the kernel does it: `offset + size` could wrap.
        if size == 0 || size > value_size || offset > value_size - size { Err(bad) } else { Ok(size) }
    }

    /// What an errno of compare-and-delete means. `-EINVAL` is left as it is: flag, fields and window are known to be
    /// right by now.
    fn sort(&self, error: io::Error, differs: Differs) -> Result<Outcome, Error> {
        match error.raw_os_error() {
            Some(errno) if differs.is(errno) => Ok(Outcome::Mismatch),
            Some(libc::ENOENT) => Ok(Outcome::Absent),
            _ => Err(self.sort_refusal(DELETE, error)),
        }
    }

    /// What an errno means that says nothing of an entry.
    pub(crate) fn sort_refusal(&self, call: &'static str, error: io::Error) -> Error {
        match error.raw_os_error() {
            Some(libc::EOPNOTSUPP) => Error::UnsupportedMap { map_type: self.info.map_type },
            Some(libc::E2BIG) => Error::UnsupportedKernel,
            _ => Error::from_os(call, error),
        }
    }
}

impl MapInfo {
    fn read(fd: BorrowedFd<'_>) -> Result<Self, Error> {
        if is_other_file(fd) {
            return Err(Error::NotAMap);
        }
        let mut info = bpf_map_info::default();
        // SAFETY: `info` is a plain struct of the size that is passed with its address.
        match unsafe { sys::read_info(fd.as_raw_fd(), &mut info) } {
            Ok(()) => Ok(Self::from(&info)),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Err(Error::NotAMap),
            Err(error) => Err(Error::from_os("BPF_OBJ_GET_INFO_BY_FD", error)),
        }
    }
}

impl From<&bpf_map_info> for MapInfo {
    fn from(info: &bpf_map_info) -> Self {
        let name: Vec<u8> = info.name.iter().map(|c| c.cast_unsigned()).take_while(|&b| b != 0).collect();
        Self {
            map_type: info.type_,
            id: info.id,
            key_size: info.key_size,
            value_size: info.value_size,
            max_entries: info.max_entries,
            flags: info.map_flags,
            name: String::from_utf8_lossy(&name).into_owned(),
            btf_id: info.btf_id,
            btf_key_type_id: info.btf_key_type_id,
            btf_value_type_id: info.btf_value_type_id,
            map_extra: info.map_extra,
        }
    }
}

const DELETE: &str = "BPF_MAP_DELETE_ELEM with BPF_F_COMPARE";

/// An address in the last page of the address space, where no process can map anything.
const UNREADABLE: u64 = u64::MAX - 4095;

/// An answer that no kernel with the series gives.
fn unexpected(outcome: Outcome) -> Error {
    let text = format!("{outcome:?} though the expected bytes could not be read");
    Error::Os { call: DELETE, source: io::Error::other(text) }
}

/// True for an fd that procfs knows to be something else than a map. The information that the kernel gives of a
/// program or a link would be taken for a map's. Without procfs, the kernel refuses the delete itself.
fn is_other_file(fd: BorrowedFd<'_>) -> bool {
    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
        .is_ok_and(|target| !target.to_string_lossy().contains("bpf-map"))
}
