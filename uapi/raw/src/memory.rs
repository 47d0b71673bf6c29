// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory for the kernel to read or write, with a page behind it that cannot be touched.

use std::ptr::{self, NonNull};

use crate::Errno;

/// What an attribute points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ptr<'a> {
    /// A copy of these bytes. The byte after the last lies in a page that cannot be read, so a slice shorter than what
    /// the kernel reads is a buffer mapped in part.
    Bytes(&'a [u8]),
    /// A copy of these whole pages, of which the one with this number cannot be touched.
    Holed(&'a [u8], usize),
    /// The null pointer.
    Null,
    /// A page of this process that cannot be read.
    Unmapped,
    /// The last page of the address space, which no process owns.
    Kernel,
}

impl Ptr<'_> {
    /// Lays the memory out; it lives as long as the answer.
    pub(crate) fn place(self) -> Result<Placed, Errno> {
        match self {
            Self::Bytes(bytes) => {
                let guarded = Guarded::copy_of(bytes)?;
                Ok(Placed { address: guarded.address(), memory: Some(guarded) })
            }
            Self::Holed(bytes, page) => {
                let mut guarded = Guarded::copy_of(bytes)?;
                guarded.protect(page, libc::PROT_NONE)?;
                guarded.hole = Some(page);
                Ok(Placed { address: guarded.address(), memory: Some(guarded) })
            }
            Self::Null => Ok(Placed { address: 0, memory: None }),
            Self::Unmapped => {
                let guarded = Guarded::copy_of(&[])?;
                Ok(Placed { address: guarded.address(), memory: Some(guarded) })
            }
            Self::Kernel => Ok(Placed { address: u64::MAX - 4095, memory: None }),
        }
    }
}

/// An address, and what keeps it valid.
pub(crate) struct Placed {
    pub(crate) address: u64,
    memory: Option<Guarded>,
}

impl Placed {
    /// What is there now; nothing where it is nobody's.
    pub(crate) fn contents(&self) -> Vec<u8> {
        self.memory.as_ref().map(Guarded::contents).unwrap_or_default()
    }
}

/// Pages that can be read and written, the bytes at their end, and then one page that cannot be touched.
struct Guarded {
    start: NonNull<u8>,
    readable: usize,
    page: usize,
    used: usize,
    /// The number of a page before the last that cannot be touched either.
    hole: Option<usize>,
}

impl Guarded {
    fn copy_of(bytes: &[u8]) -> Result<Self, Errno> {
        // SAFETY: takes no pointer.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let page = usize::try_from(page).map_err(|_| Errno(libc::EINVAL))?;
        let readable = bytes.len().next_multiple_of(page);
        // SAFETY: a new private mapping at an address of the kernel's choice touches no memory that is in use.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                readable + page,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let start = NonNull::new(start.cast::<u8>()).ok_or(Errno(libc::ENOMEM))?;
        let guarded = Self { start, readable, page, used: bytes.len(), hole: None };
        // SAFETY: the last page of the mapping just made, to which no reference exists.
        if unsafe { libc::mprotect(guarded.guard().cast(), page, libc::PROT_NONE) } != 0 {
            return Err(Errno::last());
        }
        // SAFETY: the `used` bytes before the guard page lie in the mapping and belong to nobody else.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), guarded.guard().sub(guarded.used), guarded.used) };
        Ok(guarded)
    }

    fn guard(&self) -> *mut u8 {
        // SAFETY: the mapping is `readable + page` long.
        unsafe { self.start.as_ptr().add(self.readable) }
    }

    /// Says who may touch the page with this number.
    fn protect(&self, number: usize, protection: libc::c_int) -> Result<(), Errno> {
        if !self.used.is_multiple_of(self.page) || number >= self.readable / self.page {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: one of the pages before the guard page, to which no reference exists.
        let answer = unsafe {
            libc::mprotect(self.start.as_ptr().add(number * self.page).cast(), self.page, protection)
        };
        if answer == 0 { Ok(()) } else { Err(Errno::last()) }
    }

    fn contents(&self) -> Vec<u8> {
        let filled = self.hole.map_or(Ok(()), |page| self.protect(page, libc::PROT_READ | libc::PROT_WRITE));
        if filled.is_err() {
            return Vec::new();
        }
        let mut bytes = vec![0; self.used];
        // SAFETY: the `used` bytes before the guard page lie in the mapping and can be read; no system call that could
        // write to them is under way, since each has borrowed this for its time.
        unsafe {
            ptr::copy_nonoverlapping(self.guard().sub(self.used), bytes.as_mut_ptr(), self.used);
        }
        bytes
    }

    fn address(&self) -> u64 {
        (self.guard().expose_provenance() - self.used) as u64
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `copy_of`, whole; nothing borrows from it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.readable + self.page) };
    }
}
