// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory shared with a BPF program: an array map or an arena, mapped. The one place in the lab with unsafe blocks: elsewhere
//! types are only declared to be [`Plain`].

#![allow(unsafe_code)]

use std::ops::Deref;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi::Map;

/// A type of which every bit pattern is a value, and that may change under a shared reference: atomics and arrays and
/// `repr(C)` structs of them.
///
/// # Safety
/// The above holds, and the layout is that of the C type in the map.
pub unsafe trait Plain: Sync {}

/// The values of an array map, or what is at the beginning of an arena.
pub struct Shared<T: Plain> {
    start: NonNull<T>,
    length: usize,
}

// SAFETY: `T` is `Sync` and nothing else is behind the pointer; the mapping belongs to the process, not to a thread.
unsafe impl<T: Plain> Send for Shared<T> {}
// SAFETY: only `&T` is handed out, and `T` is `Sync`.
unsafe impl<T: Plain> Sync for Shared<T> {}

impl<T: Plain> Shared<T> {
    /// Maps the values of `map`, an array with `BPF_F_MMAPABLE`.
    ///
    /// # Errors
    /// When the map's values do not add up to a `T`, or mmap(2) says no.
    pub fn map(fd: BorrowedFd<'_>) -> Result<Self> {
        let map = Map::new(fd).context("cannot read what an mmapable map holds")?;
        let info = map.info();
        // The kernel lays array values out at multiples of 8 bytes.
        let held = info.value_size.next_multiple_of(8) as usize * info.max_entries as usize;
        ensure!(
            size_of::<T>() == held,
            "map {} holds {held} bytes, but its Rust layout has {}: src/layout.rs and the BPF headers differ",
            info.name,
            size_of::<T>()
        );
        Self::at_offset(fd, 0, held)
    }

    /// Maps the pages of `map`, an arena that nobody has mapped yet, and has the kernel provide them: a program that came
    /// first to one would find none.
    ///
    /// # Errors
    /// When the arena is smaller than a `T`, or mmap(2) says no.
    pub fn map_arena(fd: BorrowedFd<'_>) -> Result<Self> {
        let map = Map::new(fd).context("cannot read how large an arena is")?;
        let page = rustix::param::page_size();
        let held = page * map.info().max_entries as usize;
        ensure!(
            size_of::<T>() <= held,
            "arena {} has {held} bytes, but its Rust layout has {}: make it larger",
            map.info().name,
            size_of::<T>()
        );
        let shared = Self::at_offset(fd, 0, held)?;
        for place in (0..held).step_by(page) {
            // SAFETY: within the mapping. Nobody else knows it yet, so there is no write to race with.
            unsafe { shared.start.cast::<u8>().add(place).read_volatile() };
        }
        Ok(shared)
    }

    /// Maps `length` bytes.
    fn at_offset(fd: BorrowedFd<'_>, offset: i64, length: usize) -> Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory that is in use.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), length, protection, libc::MAP_SHARED, fd.as_raw_fd(), offset)
        };
        if start == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error()).context("cannot map the memory of a BPF map");
        }
        let start = NonNull::new(start.cast()).context("the kernel mapped a BPF map at address 0")?;
        Ok(Self { start, length })
    }
}

impl<T: Plain> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the mapping is page-aligned, at least `size_of::<T>()` long and lives as long as `self`; `T: Plain` takes
        // any bytes, and bears writes by others.
        unsafe { self.start.as_ref() }
    }
}

impl<T: Plain> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `at_offset`, whole; no reference outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
