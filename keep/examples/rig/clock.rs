// SPDX-License-Identifier: MIT OR Apache-2.0
//! The clock of the datapaths.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Ticks since the machine was started.
pub fn now(tick: Duration) -> u32 {
    let time = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
    u32::try_from(time.as_nanos() / tick.as_nanos().max(1)).unwrap_or(u32::MAX)
}
