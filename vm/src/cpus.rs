// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many CPUs: of the host, and of a guest.

use crate::cli::MachineOpts;

/// CPUs of the host.
pub fn host_cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1))
}

/// Virtual CPUs unless told: races need two, and emulation gains nothing from more than four.
pub fn vcpus(opts: &MachineOpts) -> u32 {
    opts.cpus.unwrap_or_else(|| host_cpus().clamp(2, 4))
}
