// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare-and-delete and compare-and-update of one entry.

use std::io;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::change::Change;
use crate::probe::{Differs, require};
use crate::sys::{Element, UNREADABLE, address, compare_element};
use crate::window::Verdict;
use crate::{Error, MAX_WINDOW, Map, Outcome, Updated, Window};

/// Compare-and-delete on a map seldom used: [`Map::new`] and [`Map::delete_if_eq`] in one.
///
/// # Errors
/// Those of the two.
pub fn delete_if_eq(map: BorrowedFd<'_>, key: &[u8], window: Window<'_>) -> Result<Outcome, Error> {
    Map::new(map)?.delete_if_eq(key, window)
}

impl Map<'_> {
    /// Deletes the entry at `key` if, and only if, the window of its value equals the expected bytes.
    ///
    /// Atomic against every writer that takes the bucket's lock (each update and delete through bpf(2) or a helper);
    /// not against a program that stores through a pointer it looked up before.
    ///
    /// # Errors
    /// Nothing was deleted. [`Error::KeySize`], [`Error::BadWindow`] and [`Error::WindowTooLong`] are found here. Then it is
    /// asked what this kernel has, see [`crate::probe()`]: [`Error::UnsupportedKernel`], [`Error::UnsupportedMap`],
    /// [`Error::NoBpf`] or [`Error::Permission`]. Then the kernel may say [`Error::UnsupportedMap`] (`-EOPNOTSUPP`),
    /// [`Error::ManagedField`] (`-EINVAL`), [`Error::Permission`] (`-EPERM`: the fd may not read and write, the map is frozen)
    /// or [`Error::Os`] (`-ENOMEM`, and `-EDEADLK` or `-ETIMEDOUT` from the bucket's lock).
    pub fn delete_if_eq(&self, key: &[u8], window: Window<'_>) -> Result<Outcome, Error> {
        self.compare(key, None, window).map(Outcome::from)
    }

    /// Gives the entry at `key` a new value if, and only if, the window of its value equals the expected bytes. It never makes
    /// an entry.
    ///
    /// `value` is a whole value, [`crate::MapInfo::value_size`] bytes, and replaces all of the old one, also what lies outside
    /// of the window: of that, what an update stored since it was looked up is lost. So let the window be as much of the value as
    /// others update, the whole of it if it has no more than [`MAX_WINDOW`] bytes.
    ///
    /// Atomic as [`Map::delete_if_eq`] is. In a full LRU map other entries may be evicted for the new value, as by every update, and
    /// at times this one: [`Updated::Absent`]. Where the value differs from the beginning, none is.
    ///
    /// ```no_run
    /// use std::os::fd::AsFd;
    ///
    /// use cmpdel_uapi::{Map, Updated, Window, map_pinned};
    ///
    /// let fd = map_pinned("/sys/fs/bpf/conntrack")?;
    /// let map = Map::new(fd.as_fd())?;
    /// let key = [0; 14];
    /// while let Some(seen) = map.lookup(&key)? {
    ///     let mut value = seen.clone();
    ///     value[32..36].copy_from_slice(&50_u32.to_ne_bytes());
    ///     match map.update_if_eq(&key, &value, Window::whole(&seen))? {
    ///         Updated::Replaced | Updated::Absent => break,
    ///         Updated::Mismatch => {} // changed since: look again
    ///     }
    /// }
    /// # Ok::<(), cmpdel_uapi::Error>(())
    /// ```
    ///
    /// # Errors
    /// Nothing was changed. As of [`Map::delete_if_eq`]; [`Error::ValueSize`]; [`Error::UnsupportedUpdate`] where the kernel has
    /// compare-and-delete alone.
    pub fn update_if_eq(&self, key: &[u8], value: &[u8], window: Window<'_>) -> Result<Updated, Error> {
        self.compare(key, Some(value), window).map(Updated::from)
    }

    /// Asks the kernel whether it would take [`Map::delete_if_eq`] on this map through this fd, of one window or another.
    /// Deletes nothing, whatever the kernel: the key it is pointed to cannot be read.
    ///
    /// # Errors
    /// As [`Map::delete_if_eq`], the arguments' own excepted.
    pub fn check(&self) -> Result<(), Error> {
        match self.check_delete(0..1) {
            // The first byte is not one that can be compared; others may be.
            Err(Error::ManagedField { .. }) => Ok(()),
            answer => answer,
        }
    }

    /// The same of this window alone.
    ///
    /// # Errors
    /// As [`Map::delete_if_eq`], the key's own excepted.
    pub fn check_delete(&self, window: Range<u32>) -> Result<(), Error> {
        self.check_change(Change::Delete, window)
    }

    /// The same of [`Map::update_if_eq`]. Changes nothing.
    ///
    /// # Errors
    /// As [`Map::update_if_eq`], those of key and value excepted.
    pub fn check_update(&self, window: Range<u32>) -> Result<(), Error> {
        self.check_change(Change::Update, window)
    }

    fn check_change(&self, change: Change, window: Range<u32>) -> Result<(), Error> {
        self.check_sizes()?;
        let size = self.check_window(window.start, window.end.saturating_sub(window.start) as usize)?;
        let differs = require(self, change)?;
        let value = if change == Change::Update { UNREADABLE } else { 0 };
        let (fd, offset) = (self.raw_fd(), window.start);
        let element = Element { fd, key: UNREADABLE, value, expected: UNREADABLE, offset, size };
        // SAFETY: at UNREADABLE this process can have nothing.
        match unsafe { compare_element(change, &element) } {
            // The map, the fd and the window are checked before anything is copied.
            Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(()),
            Err(error) => Err(unexpected(change, self.sort(change, error, differs, (offset, size))?)),
            Ok(()) => Err(unexpected(change, Verdict::Done)),
        }
    }

    /// Changes one entry: deletes it, or gives it the value.
    pub(crate) fn compare(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        window: Window<'_>,
    ) -> Result<Verdict, Error> {
        self.check_sizes()?;
        self.check_key(key)?;
        let change = match value {
            None => Change::Delete,
            Some(value) => {
                self.check_value(value)?;
                Change::Update
            }
        };
        let size = self.check_window(window.offset, window.expected.len())?;
        let differs = require(self, change)?;
        let element = Element {
            fd: self.raw_fd(),
            key: address(key),
            value: value.map_or(0, address),
            expected: address(window.expected),
            offset: window.offset,
            size,
        };
        // SAFETY: `key` was seen to be key_size long, a value value_size, and `size` is the length of `expected`. These are what
        // the kernel reads: a shorter key would have it read beyond the slice.
        match unsafe { compare_element(change, &element) } {
            Ok(()) => Ok(Verdict::Done),
            Err(error) => self.sort(change, error, differs, (window.offset, size)),
        }
    }

    /// The size of a window, once it is seen to fit.
    pub(crate) fn check_window(&self, offset: u32, size: usize) -> Result<u32, Error> {
        let value_size = self.info().value_size;
        let bad = Error::BadWindow { offset, size, value_size };
        let Ok(size) = u32::try_from(size) else { return Err(bad) };
        // As the kernel does it: `offset + size` could wrap.
        if size == 0 || size > value_size || offset > value_size - size {
            Err(bad)
        } else if size > MAX_WINDOW {
            Err(Error::WindowTooLong { size })
        } else {
            Ok(size)
        }
    }

    /// What an errno means of one entry.
    fn sort(
        &self,
        change: Change,
        error: io::Error,
        differs: Differs,
        window: (u32, u32),
    ) -> Result<Verdict, Error> {
        match error.raw_os_error() {
            Some(errno) if differs.is(errno) => Ok(Verdict::Differs),
            Some(libc::ENOENT) => Ok(Verdict::Absent),
            _ => Err(self.sort_refusal(change.of_one().1, error, window)),
        }
    }

    /// What an errno means that says nothing of an entry. Of `-EINVAL` one reason is left by now, since flag, fields and window
    /// are known to be right; and only BTF tells the kernel of fields to manage.
    pub(crate) fn sort_refusal(
        &self,
        call: &'static str,
        error: io::Error,
        (offset, size): (u32, u32),
    ) -> Error {
        match error.raw_os_error() {
            Some(libc::EOPNOTSUPP) => Error::UnsupportedMap { map_type: self.info().map_type },
            Some(libc::EINVAL) if self.info().btf_value_type_id != 0 => Error::ManagedField { offset, size },
            _ => Error::from_os(call, error),
        }
    }
}

/// An answer that no kernel with the series gives.
fn unexpected(change: Change, verdict: Verdict) -> Error {
    let text = format!("{verdict:?} though neither key nor expected bytes could be read");
    Error::Os { call: change.of_one().1, source: io::Error::other(text) }
}
