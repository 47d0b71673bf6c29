// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many CPUs this machine has.

/// CPUs of the host.
pub fn host_cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1))
}
