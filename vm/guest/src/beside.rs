// SPDX-License-Identifier: MIT OR Apache-2.0
//! What runs on the host beside a guest.

use std::sync::atomic::AtomicBool;

use anyhow::Result;

/// Runs in a thread of its own while the guest does; has to return soon after the flag is set, which says that the guest
/// is over.
pub type Task<'a> = Box<dyn FnOnce(&AtomicBool) -> Result<()> + Send + 'a>;

/// What runs on the host beside a guest: a debugger, say.
#[derive(Default)]
pub struct Beside<'a> {
    /// More options for QEMU, a word each.
    pub qemu: Vec<String>,
    /// What to run.
    pub task: Option<Task<'a>>,
}
