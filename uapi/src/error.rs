// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a call could not be carried out. What is returned as an error deleted nothing.

use std::io;

use crate::map_type_name;

/// Why a call could not be carried out.
///
/// A call that returns an error deleted nothing. Of a batch that came part of the way, [`crate::BatchOutcome`] holds
/// what was done, and beside it the error that ended it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel does not carry the series: [`crate::probe()`] says so (`-EINVAL` or `-E2BIG` for the flag).
    #[error("this kernel has no compare-and-delete (BPF_F_COMPARE)")]
    UnsupportedKernel,
    /// The kernel has no bpf(2) at all (`-ENOSYS`).
    #[error("this kernel has no bpf(2) system call")]
    NoBpf,
    /// The kernel has the operation, but not for this map: another type than hash, offloaded to a device, or values
    /// with fields that BTF manages, such as a lock or a timer (`-EOPNOTSUPP`).
    #[error("this map (type {}) has no compare-and-delete on this kernel", map_type_name(*map_type))]
    UnsupportedMap {
        /// `enum bpf_map_type`.
        map_type: u32,
    },
    /// The kernel has the operation for this map, one entry at a time: it has no batches of it.
    #[error("this kernel has no compare-and-delete of batches for this map (type {})", map_type_name(*map_type))]
    UnsupportedBatch {
        /// `enum bpf_map_type`.
        map_type: u32,
    },
    /// `-EPERM` or `-EACCES`: a capability is missing, the fd may not both read and write, the map is frozen, or a
    /// security module refused.
    #[error("not permitted")]
    Permission,
    /// The window is empty or reaches past the value. Found here, before the kernel is asked.
    #[error("a window of {size} bytes at offset {offset} does not fit values of {value_size} bytes")]
    BadWindow {
        /// First byte of the window.
        offset: u32,
        /// Bytes in the window.
        size: usize,
        /// Bytes in a value of this map.
        value_size: u32,
    },
    /// The key is not as long as the keys of this map. Found here, before the kernel is asked.
    #[error("the key has {given} bytes, keys of this map have {expected}")]
    KeySize {
        /// Bytes given.
        given: usize,
        /// Bytes in a key of this map.
        expected: u32,
    },
    /// Keys and values of a batch are not whole, or not as many. Found here, before the kernel is asked.
    #[error(
        "{keys} bytes of keys and {values} bytes of values are not the same number of whole ones: keys of this map have \
         {key_size} bytes, values {value_size}"
    )]
    BatchLength {
        /// Bytes of keys given.
        keys: usize,
        /// Bytes of values given.
        values: usize,
        /// Bytes in a key of this map.
        key_size: u32,
        /// Bytes in a value of this map.
        value_size: u32,
    },
    /// The file descriptor is open but is no BPF map.
    #[error("the file descriptor is not a BPF map")]
    NotAMap,
    /// Anything else the kernel said, such as `-ENOENT` for an id, `-ENOMEM`, or `-EDEADLK` and `-ETIMEDOUT` from the
    /// bucket's lock (rqspinlock), after which the call may be repeated.
    #[error("{call}: {source}")]
    Os {
        /// The bpf(2) command.
        call: &'static str,
        /// The errno.
        source: io::Error,
    },
}

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A lock could not be had: the same call may be repeated.
    Contended,
    /// What was named is not there: no map, program, BTF or file of that id or path.
    Absent,
    /// This kernel, or this map, does not have it.
    Unsupported,
    /// This process, or this fd, may not.
    NotPermitted,
    /// The arguments do not fit the map.
    Misuse,
    /// Anything else.
    Other,
}

impl Error {
    /// What can be done about it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::UnsupportedKernel
            | Self::NoBpf
            | Self::UnsupportedMap { .. }
            | Self::UnsupportedBatch { .. } => Kind::Unsupported,
            Self::Permission => Kind::NotPermitted,
            Self::BadWindow { .. } | Self::KeySize { .. } | Self::BatchLength { .. } | Self::NotAMap => {
                Kind::Misuse
            }
            Self::Os { source, .. } => match source.raw_os_error() {
                Some(libc::EDEADLK | libc::ETIMEDOUT) => Kind::Contended,
                Some(libc::ENOENT) => Kind::Absent,
                Some(libc::EINVAL) => Kind::Misuse,
                _ => Kind::Other,
            },
        }
    }

    /// Sorts what holds for every command; the rest stays [`Error::Os`].
    pub(crate) fn from_os(call: &'static str, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(libc::ENOSYS) => Self::NoBpf,
            Some(libc::EPERM | libc::EACCES) => Self::Permission,
            _ => Self::Os { call, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errnos_have_kinds() {
        for (errno, kind) in [
            (libc::EDEADLK, Kind::Contended),
            (libc::ETIMEDOUT, Kind::Contended),
            (libc::ENOENT, Kind::Absent),
            (libc::EINVAL, Kind::Misuse),
            (libc::EPERM, Kind::NotPermitted),
            (libc::ENOSYS, Kind::Unsupported),
            (libc::ENOMEM, Kind::Other),
        ] {
            assert_eq!(
                Error::from_os("BPF_MAP_LOOKUP_ELEM", io::Error::from_raw_os_error(errno)).kind(),
                kind
            );
        }
        assert_eq!(Error::UnsupportedMap { map_type: 5 }.kind(), Kind::Unsupported);
    }
}
