// SPDX-License-Identifier: MIT OR Apache-2.0
//! The clock by which packets and collectors say when they did something: that of `bpf_ktime_get_ns()`.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since the machine was started.
pub fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, rest) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    seconds.unwrap_or(0) * 1_000_000_000 + rest.unwrap_or(0)
}
