// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lets the program of a side begin when the schedule says so.

use std::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Release};
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// How far a side is. Its program does not begin before the schedule has it begin: one that waits at its first gate is
/// already somebody whom a grace period waits for.
#[derive(Default)]
pub(super) struct Course {
    /// Runs that may begin.
    pub(super) begun: AtomicUsize,
    /// Runs that have ended.
    pub(super) ended: AtomicUsize,
}

impl Course {
    /// Runs once it may.
    pub(super) fn run<T>(&self, program: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self.ended.load(Acquire);
        while self.begun.load(Acquire) <= before {
            thread::sleep(Duration::from_micros(100));
        }
        let ended = program();
        self.ended.fetch_add(1, Release);
        ended
    }

    /// All that began have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Acquire) >= self.begun.load(Acquire)
    }
}
