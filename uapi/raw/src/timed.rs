// SPDX-License-Identifier: MIT OR Apache-2.0
//! A call of bpf(2) that is prepared once, sent often, and timed as closely as user space can: the clock is read right
//! before and right after the system call, and nothing else is done in between.

use std::ffi::{c_int, c_long};
use std::mem::offset_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use cmpdel_uapi::bindings::{self as abi, bpf_attr, bpf_cmd};

use crate::{Elements, Errno, WHOLE_ATTR, batch};

const WORDS: usize = size_of::<bpf_attr>().div_ceil(8);
/// Always the whole attribute: one cut short before its flags makes a conditional delete a plain one.
const SIZE: u32 = WHOLE_ATTR;

/// A prepared call, with the memory that the kernel reads and writes.
pub struct Prepared {
    command: bpf_cmd,
    attr: [u64; WORDS],
    keys: Vec<u8>,
    values: Vec<u8>,
    statuses: Vec<i32>,
    /// Of the attribute, set before each call: the kernel writes to it.
    count: Option<u32>,
}

/// What a call took, in nanoseconds of the monotonic clock, and what the kernel said.
pub type Timed = (u64, Result<c_long, Errno>);

impl Prepared {
    fn new(command: bpf_cmd) -> Self {
        let attr = [0; WORDS];
        Self { command, attr, keys: Vec::new(), values: Vec::new(), statuses: Vec::new(), count: None }
    }

    fn element(command: bpf_cmd, map: &Elements<'_>, value: Vec<u8>) -> Self {
        let mut call = Self::new(command);
        call.keys = vec![0; map.key_size()];
        call.values = value;
        call.fd(offset_of!(bpf_attr, __bindgen_anon_2.map_fd), map.fd());
        call.set(offset_of!(bpf_attr, __bindgen_anon_2.key), call.keys.as_ptr() as u64);
        call
    }

    /// As [`Prepared::element`], with a value that the kernel reads or writes.
    fn element_with_value(command: bpf_cmd, map: &Elements<'_>) -> Self {
        let mut call = Self::element(command, map, vec![0; map.value_size()]);
        let address = call.values.as_mut_ptr() as u64;
        call.set(offset_of!(bpf_attr, __bindgen_anon_2.__bindgen_anon_1.value), address);
        call
    }

    /// `BPF_MAP_LOOKUP_ELEM`.
    #[must_use]
    pub fn look_up(map: &Elements<'_>) -> Self {
        Self::element_with_value(abi::BPF_MAP_LOOKUP_ELEM, map)
    }

    /// `BPF_MAP_UPDATE_ELEM` with `BPF_ANY`.
    #[must_use]
    pub fn update(map: &Elements<'_>) -> Self {
        Self::element_with_value(abi::BPF_MAP_UPDATE_ELEM, map)
    }

    /// `BPF_MAP_LOOKUP_AND_DELETE_ELEM`.
    #[must_use]
    pub fn take(map: &Elements<'_>) -> Self {
        Self::element_with_value(abi::BPF_MAP_LOOKUP_AND_DELETE_ELEM, map)
    }

    /// `BPF_MAP_DELETE_ELEM` without a condition.
    #[must_use]
    pub fn delete(map: &Elements<'_>) -> Self {
        Self::element(abi::BPF_MAP_DELETE_ELEM, map, Vec::new())
    }

    /// `BPF_MAP_DELETE_ELEM` with `BPF_F_COMPARE`; the expected bytes are the window of [`Prepared::value_mut`].
    ///
    /// # Errors
    /// `EINVAL` for a window that is not in the value.
    pub fn compare(map: &Elements<'_>, offset: u32, size: u32) -> Result<Self, Errno> {
        check_window(map, offset, size)?;
        let mut call = Self::element(abi::BPF_MAP_DELETE_ELEM, map, vec![0; map.value_size()]);
        let expected = call.values.as_ptr() as u64 + u64::from(offset);
        call.compares(expected, offset, size);
        Ok(call)
    }

    /// `BPF_MAP_DELETE_BATCH` of `count` keys.
    #[must_use]
    pub fn delete_batch(map: &Elements<'_>, count: u32) -> Self {
        let mut call = Self::new(abi::BPF_MAP_DELETE_BATCH);
        call.keys = vec![0; count as usize * map.key_size()];
        call.count = Some(count);
        call.fd(offset_of!(bpf_attr, batch.map_fd), map.fd());
        call.set(offset_of!(bpf_attr, batch.keys), call.keys.as_ptr() as u64);
        call
    }

    /// `BPF_MAP_UPDATE_BATCH` of `count` keys, to the values of [`Prepared::value_mut`].
    #[must_use]
    pub fn update_batch(map: &Elements<'_>, count: u32) -> Self {
        Self::updates(map, count, count)
    }

    /// A batch of `count` updates, with memory for so many values.
    fn updates(map: &Elements<'_>, count: u32, values: u32) -> Self {
        let mut call = Self::delete_batch(map, count);
        call.command = abi::BPF_MAP_UPDATE_BATCH;
        call.values = vec![0; values as usize * map.value_size()];
        call.set(offset_of!(bpf_attr, batch.values), call.values.as_ptr() as u64);
        call
    }

    /// `BPF_MAP_UPDATE_ELEM` with `BPF_F_COMPARE`: [`Prepared::value_mut`] is the new value, and behind it the expected bytes.
    ///
    /// # Errors
    /// `EINVAL` for a window that is not in the value.
    pub fn compare_update(map: &Elements<'_>, offset: u32, size: u32) -> Result<Self, Errno> {
        check_window(map, offset, size)?;
        let both = vec![0; map.value_size() + size as usize];
        let mut call = Self::element(abi::BPF_MAP_UPDATE_ELEM, map, both);
        let address = call.values.as_ptr() as u64;
        call.set(offset_of!(bpf_attr, __bindgen_anon_2.__bindgen_anon_1.value), address);
        call.compares(address + map.value_size() as u64, offset, size);
        Ok(call)
    }

    fn compares(&mut self, expected: u64, offset: u32, size: u32) {
        self.set(offset_of!(bpf_attr, __bindgen_anon_2.flags), abi::BPF_F_COMPARE.into());
        self.set(offset_of!(bpf_attr, __bindgen_anon_2.compare), expected);
        self.half(offset_of!(bpf_attr, __bindgen_anon_2.compare_offset), offset);
        self.half(offset_of!(bpf_attr, __bindgen_anon_2.compare_size), size);
    }

    /// `BPF_MAP_DELETE_BATCH` with `BPF_F_COMPARE`; the expected bytes are the windows of [`Prepared::value_mut`].
    ///
    /// # Errors
    /// `EINVAL` for a window that is not in the value; `E2BIG` for values of more than 4 GiB.
    pub fn compare_batch(map: &Elements<'_>, count: u32, offset: u32, size: u32) -> Result<Self, Errno> {
        let mut call = Self::delete_batch(map, count);
        call.values = vec![0; count as usize * map.value_size()];
        let seen = call.values.as_ptr() as u64;
        call.compares_batch(map, seen, offset, size)?;
        Ok(call)
    }

    /// `BPF_MAP_UPDATE_BATCH` with `BPF_F_COMPARE`: [`Prepared::value_mut`] is all new values, and behind them all values seen,
    /// whose windows are the expected bytes.
    ///
    /// # Errors
    /// As [`Prepared::compare_batch`]; `E2BIG` for more than 2³¹ keys.
    pub fn compare_update_batch(
        map: &Elements<'_>,
        count: u32,
        offset: u32,
        size: u32,
    ) -> Result<Self, Errno> {
        let both = count.checked_mul(2).ok_or(Errno(libc::E2BIG))?;
        let mut call = Self::updates(map, count, both);
        let seen = call.values.as_ptr() as u64 + u64::from(count) * map.value_size() as u64;
        call.compares_batch(map, seen, offset, size)?;
        Ok(call)
    }

    /// Compares with the windows of the values at `seen`, as many as the batch has keys.
    fn compares_batch(&mut self, map: &Elements<'_>, seen: u64, offset: u32, size: u32) -> Result<(), Errno> {
        check_window(map, offset, size)?;
        let stride = u32::try_from(map.value_size()).map_err(|_| Errno(libc::E2BIG))?;
        self.statuses = vec![0; self.count.unwrap_or_default() as usize];
        self.set(offset_of!(bpf_attr, batch.elem_flags), abi::BPF_F_COMPARE.into());
        self.set(batch::COMPARE, seen + u64::from(offset));
        let statuses = self.statuses.as_mut_ptr() as u64;
        self.set(batch::STATUSES, statuses);
        self.half(batch::COMPARE_OFFSET, offset);
        self.half(batch::COMPARE_SIZE, size);
        self.half(batch::COMPARE_STRIDE, stride);
        Ok(())
    }

    /// `BPF_PROG_TEST_RUN` of a syscall program on [`Prepared::value_mut`] as its context, `size` bytes.
    #[must_use]
    pub fn run_on_context(program: BorrowedFd<'_>, size: u32) -> Self {
        let mut call = Self::new(abi::BPF_PROG_TEST_RUN);
        call.values = vec![0; size as usize];
        call.fd(offset_of!(bpf_attr, test.prog_fd), program);
        call.half(offset_of!(bpf_attr, test.ctx_size_in), size);
        let context = call.values.as_mut_ptr() as u64;
        call.set(offset_of!(bpf_attr, test.ctx_in), context);
        call
    }

    /// `BPF_PROG_TEST_RUN` of a program of packets on `frame`.
    ///
    /// # Errors
    /// `E2BIG` for a frame of more than 4 GiB.
    pub fn run_on_frame(program: BorrowedFd<'_>, frame: &[u8]) -> Result<Self, Errno> {
        let mut call = Self::new(abi::BPF_PROG_TEST_RUN);
        call.values = frame.to_vec();
        call.fd(offset_of!(bpf_attr, test.prog_fd), program);
        let size = u32::try_from(frame.len()).map_err(|_| Errno(libc::E2BIG))?;
        call.half(offset_of!(bpf_attr, test.data_size_in), size);
        call.set(offset_of!(bpf_attr, test.data_in), call.values.as_ptr() as u64);
        Ok(call)
    }

    /// A command that no kernel knows: the way in and out of bpf(2). Without bit 16, which would have it take more arguments.
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(0x7fff)
    }

    /// The key, or the keys one after the other, to be filled in.
    pub fn keys_mut(&mut self) -> &mut [u8] {
        &mut self.keys
    }

    /// The value, the values one after the other, the context, or the frame.
    #[must_use]
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// The same, to be filled in.
    pub fn value_mut(&mut self) -> &mut [u8] {
        &mut self.values
    }

    /// What a batch said of each element: 0, or an errno, negative.
    #[must_use]
    pub fn statuses(&self) -> &[i32] {
        &self.statuses
    }

    /// The same, to be filled with what no kernel writes.
    pub fn statuses_mut(&mut self) -> &mut [i32] {
        &mut self.statuses
    }

    /// What a batch wrote to `count`.
    #[must_use]
    pub fn counted(&self) -> u32 {
        self.read_half(offset_of!(bpf_attr, batch.count))
    }

    /// What a program returned.
    #[must_use]
    pub fn returned(&self) -> u32 {
        self.read_half(offset_of!(bpf_attr, test.retval))
    }

    /// Sends it, and times it.
    pub fn timed(&mut self) -> Timed {
        self.reset();
        let before = now();
        let answer = self.ask();
        let after = now();
        (after - before, if answer < 0 { Err(Errno::last()) } else { Ok(answer) })
    }

    /// Sends it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send(&mut self) -> Result<c_long, Errno> {
        self.reset();
        let answer = self.ask();
        if answer < 0 { Err(Errno::last()) } else { Ok(answer) }
    }

    fn reset(&mut self) {
        if let Some(count) = self.count {
            self.half(offset_of!(bpf_attr, batch.count), count);
        }
    }

    #[inline(always)]
    fn ask(&mut self) -> c_long {
        // SAFETY: the attribute is exclusively borrowed and SIZE long. The addresses in it are those of the three vectors,
        // which are never resized once it is made: keys and values as long as the kernel reads or writes for a map of these sizes
        // (`Elements` lets in no other types), a status for each of `count` keys, a context of `ctx_size_in` bytes.
        unsafe { libc::syscall(libc::SYS_bpf, self.command, self.attr.as_mut_ptr(), SIZE) }
    }

    fn set(&mut self, offset: usize, value: u64) {
        self.attr[offset / 8] = value;
    }

    fn half(&mut self, offset: usize, value: u32) {
        let mut bytes = self.attr[offset / 8].to_ne_bytes();
        bytes[offset % 8..offset % 8 + 4].copy_from_slice(&value.to_ne_bytes());
        self.attr[offset / 8] = u64::from_ne_bytes(bytes);
    }

    fn read_half(&self, offset: usize) -> u32 {
        let bytes = self.attr[offset / 8].to_ne_bytes();
        let at = offset % 8;
        u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }

    fn fd(&mut self, offset: usize, fd: BorrowedFd<'_>) {
        self.half(offset, fd.as_raw_fd().cast_unsigned());
    }
}

fn check_window(map: &Elements<'_>, offset: u32, size: u32) -> Result<(), Errno> {
    let end = (offset as usize).checked_add(size as usize);
    if size > 0 && end.is_some_and(|end| end <= map.value_size()) { Ok(()) } else { Err(Errno(libc::EINVAL)) }
}

/// The monotonic clock in nanoseconds; under instruction counting, in instructions.
#[must_use]
#[inline]
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec. The clock exists everywhere, so there is no failure to see.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// The clock read twice with nothing in between: what each figure has to be reduced by.
#[must_use]
pub fn timed_nothing() -> u64 {
    let before = now();
    now() - before
}

/// A system call that does next to nothing: getppid(2).
#[must_use]
pub fn timed_getppid() -> u64 {
    let before = now();
    // SAFETY: takes nothing.
    let parent: c_int = unsafe { libc::getppid() };
    let after = now();
    std::hint::black_box(parent);
    after - before
}

/// Runs a loop of two instructions `rounds` times and gives what the clock made of it; `None` where no such loop has been
/// written for the machine.
#[must_use]
pub fn timed_loop(rounds: u64) -> Option<u64> {
    let before = now();
    #[cfg(target_arch = "x86_64")]
    // SAFETY: counts a register of its own down to zero.
    unsafe {
        std::arch::asm!("2: dec {0}", "jnz 2b", inout(reg) rounds.max(1) => _, options(nomem, nostack));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: counts a register of its own down to zero.
    unsafe {
        std::arch::asm!("2: subs {0}, {0}, #1", "b.ne 2b", inout(reg) rounds.max(1) => _, options(nomem, nostack));
    }
    let took = now() - before;
    cfg!(any(target_arch = "x86_64", target_arch = "aarch64")).then_some(took)
}
