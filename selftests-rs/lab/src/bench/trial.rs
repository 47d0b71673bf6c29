// SPDX-License-Identifier: MIT OR Apache-2.0
//! A trial of an operation, and how many elements a batch has, for system calls and programs alike.

use super::Not;

/// Takes sample number `i`: sets the stage, times, and looks at what came of it.
pub type Trial<'a> = Box<dyn FnMut(u64) -> Result<u64, Not> + 'a>;

/// Elements of a batch.
pub const BATCH: u64 = 256;
/// The same as the kernel takes it.
pub const BATCH_COUNT: u32 = 256;
