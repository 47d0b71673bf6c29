// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the machine runs at all: a thread on each CPU wakes up ten times a second, before others, and says so. A
//! CPU on which none does is busy or locked up; where none does on any, the whole machine stands still.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use rustix::process::setpriority_process;

use crate::clock::monotonic;
use crate::cpus::pin;

/// Between two beats of a CPU.
const BEAT: Duration = Duration::from_millis(100);
/// The nice value of who runs before others.
const FIRST: i32 = -20;
const MILLION: u64 = 1_000_000;

/// What the beats have shown since somebody asked last.
#[derive(Default)]
pub struct Beats {
    last: AtomicU64,
    stood: AtomicU64,
    late: AtomicU64,
}

impl Beats {
    /// Begins now: nothing was missed before.
    pub fn new() -> Self {
        Self { last: AtomicU64::new(monotonic()), ..Self::default() }
    }

    /// Beats on that CPU until told to stop.
    ///
    /// # Errors
    /// When this thread cannot be kept there.
    pub fn beat(&self, cpu: usize, stop: &AtomicBool) -> Result<()> {
        pin(cpu)?;
        // Where that is not permitted, late beats show that the machine is busy.
        let _ = setpriority_process(None, FIRST);
        let mut own = monotonic();
        while !stop.load(Relaxed) {
            thread::sleep(BEAT);
            let now = monotonic();
            let anybody = self.last.swap(now, Relaxed);
            self.stood.fetch_max(now.saturating_sub(anybody), Relaxed);
            self.late.fetch_max(now.saturating_sub(own), Relaxed);
            own = now;
        }
        Ok(())
    }

    /// Milliseconds, the longest without a beat: of all CPUs, and of one of them. What is asked for is forgotten.
    pub fn asked(&self) -> (u64, u64) {
        // Nobody beats while all stand still.
        let now = monotonic().saturating_sub(self.last.load(Relaxed));
        let longest = |of: &AtomicU64| of.swap(0, Relaxed).max(now) / MILLION;
        (longest(&self.stood), longest(&self.late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_runs_is_seen_to_run() {
        let (beats, stop) = (Beats::new(), AtomicBool::new(false));
        thread::scope(|scope| {
            let beating = scope.spawn(|| beats.beat(0, &stop));
            thread::sleep(Duration::from_millis(700));
            let (stood, late) = beats.asked();
            stop.store(true, Relaxed);
            // Both, and one may exceed the other by what the thread took to begin.
            assert!(stood >= 90 && late >= 90, "{stood} {late}");
            beating.join().unwrap().unwrap();
        });
    }

    #[test]
    fn nobody_beats_while_all_stand_still() {
        let beats = Beats::new();
        thread::sleep(Duration::from_millis(300));
        let (stood, late) = beats.asked();
        assert!(stood >= 300 && late >= 300, "{stood} {late}");
    }
}
