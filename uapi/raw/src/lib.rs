// SPDX-License-Identifier: MIT OR Apache-2.0
//! bpf(2) for tests, the lab and `keep`, which fills and reads its table of stripes with it. This is the crate that *can* delete
//! unconditionally: no other crate that is not a test may depend on it.
//!
//! Two halves. The attribute exactly as given, for contract tests: short sizes, odd flags, bad pointers. And the calls
//! of a collector that has no compare-and-delete, which the race lab compares it with: [`Elements`], and programs run
//! in the caller's thread.
//!
//! Calls that point into memory with holes, each field free, are [`Form`]s in an [`Arena`].
//!
//! Whatever a command of the first half reads or writes is a copy that ends at a page which nobody can touch
//! ([`Ptr::Bytes`]). So a kernel that goes further than it was told gets `-EFAULT`, never foreign memory, and the functions
//! are safe whatever they are given.

// Speaks to the kernel; each block says why it is sound.
#![allow(unsafe_code)]

mod arena;
mod attr;
mod batch;
mod commands;
mod elements;
mod errno;
mod form;
mod memory;
mod run;
mod single;
mod timed;

pub use arena::{Access, Arena};
pub use attr::WHOLE_ATTR;
pub use batch::{Batch, BatchAnswer, COMPARE_BATCH_ATTR_SIZE, MAX_STATUSES, UNTOUCHED_STATUS};
pub use commands::{Create, btf_load, fd_by_id, freeze, map_create, pin, program, update};
pub use elements::{Elements, Position, Snapshot};
pub use errno::Errno;
pub use form::{COUNT_AT, Form, Order, Place};
pub use memory::Ptr;
pub use run::{run_on_context, run_on_frame};
pub use single::{COMPARE_ATTR_SIZE, Command, Single};
pub use timed::{Prepared, Timed, now, timed_getppid, timed_loop, timed_nothing};
