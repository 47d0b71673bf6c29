// SPDX-License-Identifier: MIT OR Apache-2.0
//! Does this kernel have compare-and-delete? Asked of the kernel's behaviour, never of its version.
//!
//! Bit 32 may one day mean something else on a kernel without the series. So an answer of "supported" needs every one
//! of the documented ones: those that a kernel gives before it looks at the fd, and, where a map may be made, a scratch
//! map that keeps its entry on a difference and loses it on equality. Anything else is "unsupported".

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::OnceLock;

use crate::Error;
use crate::bindings as abi;
use crate::sys::{self, address, address_mut, delete_compare, lookup};

/// Whether this kernel has compare-and-delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Support {
    /// It does, and was seen to behave as documented.
    Supported,
    /// It does not, or not as documented.
    Unsupported,
}

/// Asks this kernel whether it has compare-and-delete. The answer is kept for the life of the process; touches no map
/// but a scratch one of its own.
///
/// # Errors
/// No answer, and none is kept: [`Error::NoBpf`] (`-ENOSYS`), [`Error::Permission`] (bpf(2) itself is refused),
/// [`Error::Os`] (the scratch map could not be made for another reason than permission).
pub fn probe() -> Result<Support, Error> {
    static ANSWER: OnceLock<Support> = OnceLock::new();
    if let Some(&answer) = ANSWER.get() {
        return Ok(answer);
    }
    let answer = if answers_before_the_fd()? && behaves_on_a_scratch_map()? {
        Support::Supported
    } else {
        Support::Unsupported
    };
    Ok(*ANSWER.get_or_init(|| answer))
}

/// What is checked before the fd is looked up, on an fd that cannot exist: `-EBADF` where all is right, `-EINVAL` for
/// an empty window and for compare fields without the flag. A kernel without the series says `-EINVAL` to the first.
fn answers_before_the_fd() -> Result<bool, Error> {
    const CASES: [(u32, u32, i32); 3] =
        [(abi::BPF_F_COMPARE, 1, libc::EBADF), (abi::BPF_F_COMPARE, 0, libc::EINVAL), (0, 1, libc::EINVAL)];
    let byte = [0_u8];
    for (flags, compare_size, documented) in CASES {
        let mut attr = sys::zeroed_attr();
        attr.__bindgen_anon_2.map_fd = u32::MAX;
        attr.__bindgen_anon_2.key = address(&byte);
        attr.__bindgen_anon_2.flags = flags.into();
        attr.__bindgen_anon_2.compare = address(&byte);
        attr.__bindgen_anon_2.compare_size = compare_size;
        // SAFETY: without a map there are no keys to read; the window is one byte at most, and one is there.
        let answer = unsafe { sys::bpf(abi::BPF_MAP_DELETE_ELEM, &mut attr) };
        match errno(answer) {
            Some(said) if said == documented => {}
            Some(said @ (libc::ENOSYS | libc::EPERM | libc::EACCES)) => {
                return Err(Error::from_os("BPF_MAP_DELETE_ELEM", io::Error::from_raw_os_error(said)));
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// A hash map of one entry must keep it when the window differs and lose it when the window is equal. True as well
/// where this process may not make maps: then the answers before the fd must do.
fn behaves_on_a_scratch_map() -> Result<bool, Error> {
    const VALUE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
    let scratch = match Scratch::new() {
        Ok(scratch) => scratch,
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) => return Ok(true),
        Err(error) => return Err(Error::from_os("BPF_MAP_CREATE", error)),
    };
    scratch.put(VALUE).map_err(|error| Error::from_os("BPF_MAP_UPDATE_ELEM", error))?;

    let kept = matches!(errno(scratch.delete(3, [4, 5, 6, 8])), Some(libc::EBUSY | libc::EAGAIN))
        && scratch.get().is_ok_and(|value| value == VALUE);
    let deleted = kept
        && scratch.delete(3, [4, 5, 6, 7]).is_ok()
        && scratch.get().is_err_and(|error| error.raw_os_error() == Some(libc::ENOENT));
    Ok(deleted)
}

/// A hash map of one entry, keys of 4 bytes and values of 8.
struct Scratch(OwnedFd);

impl Scratch {
    const KEY: [u8; 4] = *b"key!";

    fn new() -> io::Result<Self> {
        let mut attr = sys::zeroed_attr();
        attr.__bindgen_anon_1.map_type = abi::BPF_MAP_TYPE_HASH;
        attr.__bindgen_anon_1.key_size = 4;
        attr.__bindgen_anon_1.value_size = 8;
        attr.__bindgen_anon_1.max_entries = 1;
        attr.__bindgen_anon_1.map_flags = abi::BPF_F_NO_PREALLOC;
        // SAFETY: no address in it.
        let fd = unsafe { sys::bpf(abi::BPF_MAP_CREATE, &mut attr) }?;
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        // SAFETY: the kernel just made this fd for us, and nobody else knows of it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    fn put(&self, value: [u8; 8]) -> io::Result<()> {
        let mut attr = sys::zeroed_attr();
        attr.__bindgen_anon_2.map_fd = self.0.as_raw_fd().cast_unsigned();
        attr.__bindgen_anon_2.key = address(&Self::KEY);
        attr.__bindgen_anon_2.__bindgen_anon_1.value = address(&value);
        // SAFETY: key and value are as long as this map's.
        unsafe { sys::bpf(abi::BPF_MAP_UPDATE_ELEM, &mut attr) }.map(drop)
    }

    fn get(&self) -> io::Result<[u8; 8]> {
        let mut value = [0; 8];
        // SAFETY: key and value are as long as this map's.
        unsafe { lookup(self.0.as_raw_fd(), address(&Self::KEY), address_mut(&mut value)) }?;
        Ok(value)
    }

    fn delete(&self, offset: u32, expected: [u8; 4]) -> io::Result<()> {
        // SAFETY: the key is as long as this map's, the window 4 bytes.
        unsafe { delete_compare(self.0.as_raw_fd(), address(&Self::KEY), address(&expected), offset, 4) }
    }
}

fn errno<T>(answer: io::Result<T>) -> Option<i32> {
    answer.err().and_then(|error| error.raw_os_error())
}
