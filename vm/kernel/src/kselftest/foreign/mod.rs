// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tests that a series brings along, on the kernel with it, on an emulated machine of another architecture: where
//! bytes have another order, and the JIT is another. What emulation does not show is a weaker order of memory: QEMU on
//! x86 runs loads and stores in the order of x86.

pub mod debs;
pub mod emulated;
pub mod judge;
pub mod kernel;
pub mod progs;
pub mod target;
pub mod told;
