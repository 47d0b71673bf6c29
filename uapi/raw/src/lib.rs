// SPDX-License-Identifier: MIT OR Apache-2.0
//! bpf(2) with the attribute exactly as given, for contract tests alone: short sizes, odd flags, bad pointers.
//!
//! This is the crate that *can* delete unconditionally. Nothing but tests may depend on it.
//!
//! Every command here only reads the memory it is pointed to, and each buffer is a copy that ends at a page which
//! nobody can touch ([`Ptr::Bytes`]). So a kernel that reads further than it was told gets `-EFAULT`, never foreign
//! memory, and the functions are safe whatever they are given.

// Speaks to the kernel; each block says why it is sound.
#![allow(unsafe_code)]

mod attr;
mod commands;
mod delete;
mod errno;
mod memory;

pub use commands::{Create, btf_load, fd_by_id, freeze, map_create, pin, update};
pub use delete::{Batch, COMPARE_ATTR_SIZE, Delete, delete_batch, delete_elem};
pub use errno::Errno;
pub use memory::Ptr;
