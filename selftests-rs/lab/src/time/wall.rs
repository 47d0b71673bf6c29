// SPDX-License-Identifier: MIT OR Apache-2.0
//! The clocks of the machine, and setting one.

use anyhow::{Context as _, Result};
use results::time::stop::Clocks;
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};

/// A clock by which entries are stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `bpf_ktime_get_ns()`.
    Monotonic,
    /// `bpf_ktime_get_boot_ns()`.
    Boottime,
    /// The wall clock, which can be set.
    Realtime,
}

impl Clock {
    /// As `cmpdel gc --clock` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monotonic => "monotonic",
            Self::Boottime => "boottime",
            Self::Realtime => "realtime",
        }
    }

    /// In ns.
    pub fn now(self) -> i64 {
        let time = clock_gettime(match self {
            Self::Monotonic => ClockId::Monotonic,
            Self::Boottime => ClockId::Boottime,
            Self::Realtime => ClockId::Realtime,
        });
        time.tv_sec * SECOND + time.tv_nsec
    }
}

const SECOND: i64 = 1_000_000_000;

/// All clocks, in ms.
pub fn clocks() -> Clocks {
    let ms = |clock: Clock| clock.now() / 1_000_000;
    Clocks { monotonic: ms(Clock::Monotonic), boottime: ms(Clock::Boottime), realtime: ms(Clock::Realtime) }
}

/// By how much each went on since `before`.
pub fn since(before: Clocks) -> Clocks {
    let now = clocks();
    Clocks {
        monotonic: now.monotonic - before.monotonic,
        boottime: now.boottime - before.boottime,
        realtime: now.realtime - before.realtime,
    }
}

/// The wall clock, set by so much; right again when this is dropped.
pub struct Set {
    by: i64,
}

impl Set {
    /// In ns.
    ///
    /// # Errors
    /// The kernel's.
    pub fn by(by: i64) -> Result<Self> {
        set(by)?;
        Ok(Self { by })
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        // It could be set before. If it stays wrong, the machine is thrown away soon.
        let _ = set(-self.by);
    }
}

fn set(by: i64) -> Result<()> {
    let to = Clock::Realtime.now() + by;
    let to = Timespec { tv_sec: to.div_euclid(SECOND), tv_nsec: to.rem_euclid(SECOND) };
    clock_settime(ClockId::Realtime, to).context("cannot set the wall clock")
}
