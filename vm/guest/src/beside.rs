// SPDX-License-Identifier: MIT OR Apache-2.0
//! What runs on the host beside a guest.

use std::{sync::atomic::AtomicBool, thread};

use anyhow::{Result, anyhow};

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

impl<'a> Beside<'a> {
    /// Both of them, each in a thread of its own.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.qemu.extend(other.qemu);
        let task: Option<Task<'a>> = match (self.task, other.task) {
            (Some(one), Some(two)) => Some(Box::new(|over| {
                thread::scope(|scope| {
                    let one = scope.spawn(|| one(over));
                    let two = two(over);
                    one.join().map_err(|_| anyhow!("what ran beside the guest panicked"))?.and(two)
                })
            })),
            (one, two) => one.or(two),
        };
        Self { task, ..self }
    }
}
