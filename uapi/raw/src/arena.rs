// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory with holes, for calls that point anywhere into it: pages that can be written, that can be read, that cannot be
//! touched, and that are mapped and unmapped by another thread while the kernel is at them.
//!
//! The memory is mapped twice. The kernel is pointed to the one mapping, which has the holes; the caller reads and writes the
//! other, which has none. What a page holds so outlives that it is unmapped.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crate::Errno;
use crate::form::{Form, Place};

/// What may be done to a page of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is read and written.
    Open,
    /// It is read.
    ReadOnly,
    /// Nothing.
    Closed,
    /// By turns all and nothing.
    Races,
}

/// No step of a batch is longer than 32 bits can say, so that none leads over what lies behind the arena.
const BEHIND: usize = 1 << 32;
/// One byte more than a process may have on x86-64 with four levels of page tables.
const TOP: u64 = 0x7fff_ffff_f000;

/// The memory.
pub struct Arena {
    /// Ends before what it maps.
    racer: Racer,
    /// With holes, and more than 4 GiB of nothing behind it.
    view: Mapping,
    /// Without.
    window: Mapping,
    pages: Vec<Access>,
    page: usize,
}

impl Arena {
    /// Pages of these kinds, one after the other; one of them may race.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(pages: &[Access]) -> Result<Self, Errno> {
        // SAFETY: takes no pointer.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) });
        let page = page.map_err(|_| Errno(libc::EINVAL))?;
        let len = pages.len() * page;
        let memory = memory(len)?;
        let window = Mapping::of(&memory, len)?;
        let view = Mapping::reserve(len + BEHIND + page)?;
        for (number, access) in pages.iter().enumerate() {
            let at = number * page;
            view.place(at, page, protection(*access), Some((&memory, at)))?;
        }
        let races = pages.iter().position(|access| *access == Access::Races).map(|number| number * page);
        let racer = Racer::new(memory, view.address(), races, page)?;
        Ok(Self { racer, view, window, pages: pages.to_vec(), page })
    }

    /// Bytes in a page.
    #[must_use]
    pub fn page(&self) -> usize {
        self.page
    }

    /// What may be done at this byte; behind the last page there is nothing.
    #[must_use]
    pub fn access(&self, at: u64) -> Access {
        let number = usize::try_from(at).ok().map(|at| at / self.page);
        number.and_then(|number| self.pages.get(number)).copied().unwrap_or(Access::Closed)
    }

    /// All that it holds.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: a mapping of ours, as long as the pages. Whoever could write to it borrows the arena mutably: the caller
        // with `bytes_mut`, the kernel with `send`. The racing thread changes what is mapped in the view alone.
        unsafe { std::slice::from_raw_parts(self.window.start.as_ptr(), self.pages.len() * self.page) }
    }

    /// The same, to be filled.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and exclusively borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.window.start.as_ptr(), self.pages.len() * self.page) }
    }

    fn address(&self, place: Place) -> u64 {
        match place {
            // Behind the arena nothing is mapped, as far as 32 bits go.
            Place::At(at) => self.view.address() as u64 + u64::from(at),
            Place::Null | Place::Cut(_) => 0,
            Place::Kernel(before) => u64::MAX - u64::from(before),
            Place::Top(before) => TOP - 1 - u64::from(before % 4096),
            Place::Between(behind) => (1 << 63) + u64::from(behind),
        }
    }

    fn page_as_u32(&self) -> u32 {
        u32::try_from(self.page).unwrap_or(u32::MAX)
    }

    /// What the kernel sees of the attribute.
    #[must_use]
    pub fn told(&self, form: &Form) -> Form {
        form.told(|place| self.address(place), self.page_as_u32())
    }

    /// Writes the attribute to its place, as [`Arena::send`] does.
    pub fn lay(&mut self, form: &Form) -> std::ops::Range<usize> {
        let (bytes, _) = form.encode(|place| self.address(place), self.page_as_u32());
        let Place::At(at) = form.attr else { return 0..0 };
        let memory = self.bytes_mut();
        let start = memory.len().min(at as usize);
        let end = memory.len().min(start + bytes.len());
        memory[start..end].copy_from_slice(&bytes[..end - start]);
        start..end
    }

    /// Sends it. Where it `races`, the page that can is mapped and unmapped all the while.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send(&mut self, form: &Form, races: bool) -> Result<(), Errno> {
        let (_, told) = form.encode(|place| self.address(place), self.page_as_u32());
        self.lay(form);
        let (command, attr) = (form.order.command(), self.address(form.attr));
        let ask = || {
            // SAFETY: each address that the kernel writes to is one of the view, behind which nothing is for longer than a
            // step of a batch, or one at which no process has memory; so is that of the attribute itself. What it writes
            // in the view no reference sees: the arena is exclusively borrowed. Where an attribute is cut within an
            // address, that one is read from at most.
            let answer = unsafe { libc::syscall(libc::SYS_bpf, command, attr, told) };
            if answer < 0 { Err(Errno::last()) } else { Ok(()) }
        };
        if races { self.racer.during(ask) } else { ask() }
    }
}

fn protection(access: Access) -> libc::c_int {
    match access {
        Access::Open | Access::Races => libc::PROT_READ | libc::PROT_WRITE,
        Access::ReadOnly => libc::PROT_READ,
        Access::Closed => libc::PROT_NONE,
    }
}

/// A file in memory that nobody else can open.
fn memory(len: usize) -> Result<OwnedFd, Errno> {
    // SAFETY: the name is a string with its zero byte.
    let fd = unsafe { libc::memfd_create(c"arena".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the kernel just made this fd for us, and nobody else knows of it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let len = libc::off_t::try_from(len).map_err(|_| Errno(libc::EINVAL))?;
    // SAFETY: takes no pointer.
    if unsafe { libc::ftruncate(fd.as_raw_fd(), len) } < 0 { Err(Errno::last()) } else { Ok(fd) }
}

/// A mapping that is ours alone.
struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

impl Mapping {
    fn new(len: usize, protection: libc::c_int, flags: libc::c_int, fd: i32) -> Result<Self, Errno> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory that is in use.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, fd, 0) };
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        Ok(Self { start: NonNull::new(start.cast()).ok_or(Errno(libc::ENOMEM))?, len })
    }

    fn of(memory: &OwnedFd, len: usize) -> Result<Self, Errno> {
        Self::new(len, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, memory.as_raw_fd())
    }

    /// Addresses without memory.
    fn reserve(len: usize) -> Result<Self, Errno> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        Self::new(len, libc::PROT_NONE, flags, -1)
    }

    fn address(&self) -> usize {
        self.start.as_ptr().expose_provenance()
    }

    /// Puts a piece of `memory` into it, or nothing.
    fn place(
        &self,
        at: usize,
        len: usize,
        protection: libc::c_int,
        memory: Option<(&OwnedFd, usize)>,
    ) -> Result<(), Errno> {
        if at + len > self.len {
            return Err(Errno(libc::EINVAL));
        }
        map_at(self.address() + at, len, protection, memory)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `new`, whole; nothing borrows from it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// Within a mapping of the arena's alone.
fn map_at(
    address: usize,
    len: usize,
    protection: libc::c_int,
    memory: Option<(&OwnedFd, usize)>,
) -> Result<(), Errno> {
    let (flags, fd, from) = match memory {
        Some((memory, from)) => (libc::MAP_SHARED, memory.as_raw_fd(), from),
        None => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1, 0),
    };
    let from = libc::off_t::try_from(from).map_err(|_| Errno(libc::EINVAL))?;
    // SAFETY: both callers name a part of the view of an arena, to which there are no references: what is mapped there may
    // change at any time.
    let start = unsafe {
        libc::mmap(
            ptr::with_exposed_provenance_mut(address),
            len,
            protection,
            flags | libc::MAP_FIXED,
            fd,
            from,
        )
    };
    if start == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(()) }
}

/// The thread that maps and unmaps a page.
struct Racer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    wanted: AtomicBool,
    /// The page is there, and stays until the next call.
    idle: AtomicBool,
    over: AtomicBool,
    turns: AtomicU64,
}

impl Racer {
    fn new(memory: OwnedFd, view: usize, races: Option<usize>, page: usize) -> Result<Self, Errno> {
        let shared = Arc::new(Shared::default());
        let Some(at) = races else { return Ok(Self { shared, thread: None }) };
        let theirs = Arc::clone(&shared);
        let run = move || {
            while !theirs.over.load(Ordering::Acquire) {
                if !theirs.wanted.load(Ordering::Acquire) {
                    theirs.idle.store(true, Ordering::Release);
                    thread::park();
                    continue;
                }
                theirs.idle.store(false, Ordering::Release);
                // A turn that fails leaves the page as it was, which is one of the two that callers reckon with.
                let _ = map_at(view + at, page, libc::PROT_NONE, None);
                pause();
                let open = protection(Access::Open);
                let _ = map_at(view + at, page, open, Some((&memory, at)));
                theirs.turns.fetch_add(1, Ordering::Release);
                pause();
            }
        };
        let thread = thread::Builder::new().name("racer".into()).spawn(run);
        Ok(Self { shared, thread: Some(thread.map_err(|_| Errno(libc::EAGAIN))?) })
    }

    fn during<T>(&self, ask: impl FnOnce() -> T) -> T {
        let Some(thread) = &self.thread else { return ask() };
        let before = self.shared.turns.load(Ordering::Acquire);
        self.shared.wanted.store(true, Ordering::Release);
        thread.thread().unpark();
        while self.shared.turns.load(Ordering::Acquire) == before {
            thread::yield_now();
        }
        let answer = ask();
        self.shared.wanted.store(false, Ordering::Release);
        // The next call may not meet what is left of this turn. A turn has passed since `wanted`, so that this is no older word.
        while !self.shared.idle.load(Ordering::Acquire) {
            thread::yield_now();
        }
        answer
    }
}

/// As long as a few elements of a batch take.
fn pause() {
    (0..50).for_each(|_| std::hint::spin_loop());
}

impl Drop for Racer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
