// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running a program once on this CPU (`BPF_PROG_TEST_RUN`), from any thread.

use std::mem::offset_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use cmpdel_uapi::bindings::{self as abi, bpf_attr};

use crate::Errno;
use crate::attr::Attr;

/// Runs a program of packets on `frame`, once, and returns what it returned.
///
/// # Errors
/// The kernel's.
pub fn run_on_frame(program: BorrowedFd<'_>, frame: &[u8]) -> Result<u32, Errno> {
    let mut attr = Attr::whole();
    attr.u64(offset_of!(bpf_attr, test.data_in), frame.as_ptr() as u64);
    attr.u32(offset_of!(bpf_attr, test.data_size_in), length(frame)?);
    // SAFETY: the kernel copies the frame in; without an output buffer it copies nothing out.
    unsafe { run(program, &mut attr) }
}

/// Runs a syscall program on `context`, which it may change, and returns what it returned.
///
/// # Errors
/// The kernel's.
pub fn run_on_context(program: BorrowedFd<'_>, context: &mut [u8]) -> Result<u32, Errno> {
    let mut attr = Attr::whole();
    attr.u32(offset_of!(bpf_attr, test.ctx_size_in), length(context)?);
    attr.u64(offset_of!(bpf_attr, test.ctx_in), context.as_mut_ptr() as u64);
    // SAFETY: the kernel copies the context in and, after the run, out again, both `ctx_size_in` bytes.
    unsafe { run(program, &mut attr) }
}

/// # Safety
/// As [`Attr::send`].
unsafe fn run(program: BorrowedFd<'_>, attr: &mut Attr) -> Result<u32, Errno> {
    attr.i32(offset_of!(bpf_attr, test.prog_fd), program.as_raw_fd());
    // SAFETY: the caller's promise.
    unsafe { attr.send(abi::BPF_PROG_TEST_RUN) }?;
    Ok(attr.read_u32(offset_of!(bpf_attr, test.retval)))
}

fn length(bytes: &[u8]) -> Result<u32, Errno> {
    u32::try_from(bytes.len()).map_err(|_| Errno(libc::E2BIG))
}
