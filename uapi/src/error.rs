// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a call could not be carried out. What is returned as an error changed nothing.

use std::io;

use crate::{MAX_WINDOW, map_type_name};

/// Why a call could not be carried out.
///
/// A call that returns an error deleted and updated nothing. Of a batch that came part of the way, [`crate::BatchOutcome`] holds
/// what was done, and beside it the error that ended it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel does not carry the series: [`crate::probe()`] says so (`-EINVAL` for the flag).
    #[error("this kernel has no compare-and-delete (BPF_F_COMPARE)")]
    UnsupportedKernel,
    /// The kernel has no bpf(2) at all (`-ENOSYS`).
    #[error("this kernel has no bpf(2) system call")]
    NoBpf,
    /// The kernel has the operation, but not for this map: another type than hash, offloaded to a device, or values with a
    /// `bpf_spin_lock` or `bpf_res_spin_lock`; in the first version of the series, values with any field that the kernel
    /// manages (`-EOPNOTSUPP`).
    #[error("this map (type {}) has no compare-and-delete on this kernel", map_type_name(*map_type))]
    UnsupportedMap {
        /// `enum bpf_map_type`.
        map_type: u32,
    },
    /// The kernel has compare-and-delete for this map, and no compare-and-update: the first version of the series.
    #[error("this kernel has compare-and-delete, but no compare-and-update, for this map (type {})", map_type_name(*map_type))]
    UnsupportedUpdate {
        /// `enum bpf_map_type`.
        map_type: u32,
    },
    /// The kernel has the operation for this map, one entry at a time: it has no batches of it.
    #[error("this kernel compares one entry at a time of this map (type {}), and no batches", map_type_name(*map_type))]
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
    /// The window is longer than any that a kernel compares. Found here, before the kernel is asked.
    #[error(
        "a window of {size} bytes is longer than the {MAX_WINDOW} that the kernel compares: narrow it to the field that changes \
         with each update, such as a time stamp or a counter"
    )]
    WindowTooLong {
        /// Bytes in the window.
        size: u32,
    },
    /// The window shares bytes with a field that the kernel manages, such as a timer or a kptr: a look-up does not show what is
    /// there, so it cannot be compared (`-EINVAL`).
    #[error(
        "the window of {size} bytes at offset {offset} lies over a field that the kernel manages (a timer, a kptr, a list), \
         which no look-up shows: choose bytes beside it"
    )]
    ManagedField {
        /// First byte of the window.
        offset: u32,
        /// Bytes in the window.
        size: u32,
    },
    /// The key is not as long as the keys of this map. Found here, before the kernel is asked.
    #[error("the key has {given} bytes, keys of this map have {expected}")]
    KeySize {
        /// Bytes given.
        given: usize,
        /// Bytes in a key of this map.
        expected: u32,
    },
    /// The new value is not as long as the values of this map. Found here, before the kernel is asked.
    #[error("the new value has {given} bytes, values of this map have {expected}")]
    ValueSize {
        /// Bytes given.
        given: usize,
        /// Bytes in a value of this map.
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
            | Self::UnsupportedUpdate { .. }
            | Self::UnsupportedBatch { .. } => Kind::Unsupported,
            Self::Permission => Kind::NotPermitted,
            Self::BadWindow { .. }
            | Self::WindowTooLong { .. }
            | Self::ManagedField { .. }
            | Self::KeySize { .. }
            | Self::ValueSize { .. }
            | Self::BatchLength { .. }
            | Self::NotAMap => Kind::Misuse,
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
        assert_eq!(Error::UnsupportedUpdate { map_type: 1 }.kind(), Kind::Unsupported);
        assert_eq!(Error::WindowTooLong { size: 65 }.kind(), Kind::Misuse);
    }
}
