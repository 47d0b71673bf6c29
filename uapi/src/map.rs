// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map behind a borrowed fd: what it looks like, look-up.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::Error;
use crate::bindings::{self as abi, bpf_map_info};
use crate::probe::OwnAnswers;
use crate::sys::{self, address, address_mut, lookup};

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

/// A BPF map. Made once, it deletes or updates with one system call an entry.
#[derive(Clone, Debug)]
pub struct Map<'fd> {
    fd: BorrowedFd<'fd>,
    info: MapInfo,
    pub(crate) own_answers: OwnAnswers,
}

impl<'fd> Map<'fd> {
    /// Reads what the kernel says of the map behind `fd`.
    ///
    /// # Errors
    /// [`Error::NotAMap`], [`Error::Permission`], [`Error::NoBpf`], [`Error::Os`].
    pub fn new(fd: BorrowedFd<'fd>) -> Result<Self, Error> {
        Ok(Self { fd, info: MapInfo::read(fd)?, own_answers: OwnAnswers::default() })
    }

    pub(crate) fn raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// What the kernel says of the map.
    #[must_use]
    pub fn info(&self) -> &MapInfo {
        &self.info
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

    /// No map without keys or values is a hash.
    pub(crate) fn check_sizes(&self) -> Result<(), Error> {
        if self.info.key_size == 0 || self.info.value_size == 0 {
            return Err(Error::UnsupportedMap { map_type: self.info.map_type });
        }
        Ok(())
    }

    /// A matter of soundness, not of courtesy: the kernel reads `key_size` bytes, however long the slice is.
    pub(crate) fn check_key(&self, key: &[u8]) -> Result<(), Error> {
        if u32::try_from(key.len()) == Ok(self.info.key_size) {
            return Ok(());
        }
        Err(Error::KeySize { given: key.len(), expected: self.info.key_size })
    }

    /// The same of a new value.
    pub(crate) fn check_value(&self, value: &[u8]) -> Result<(), Error> {
        if u32::try_from(value.len()) == Ok(self.info.value_size) {
            return Ok(());
        }
        Err(Error::ValueSize { given: value.len(), expected: self.info.value_size })
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

/// True for an fd that procfs knows to be something else than a map. The information that the kernel gives of a
/// program or a link would be taken for a map's. Without procfs, the kernel refuses the delete itself.
fn is_other_file(fd: BorrowedFd<'_>) -> bool {
    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
        .is_ok_and(|target| !target.to_string_lossy().contains("bpf-map"))
}
