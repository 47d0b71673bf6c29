// SPDX-License-Identifier: MIT OR Apache-2.0
//! What runs on which CPU.

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How many CPUs this process may use. Asked for within [`keeping`] only: a thread that is kept on one CPU sees no other.
///
/// # Errors
/// When the machine does not tell.
pub fn count() -> Result<usize> {
    Ok(std::thread::available_parallelism().context("cannot count the CPUs")?.get())
}

/// Keeps this thread on that CPU.
///
/// # Errors
/// The kernel's.
pub fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))
}

/// Does `what`, which may keep this thread on a CPU, and afterwards lets it run where it might before.
pub fn keeping<T>(what: impl FnOnce() -> T) -> Result<T> {
    let before = sched_getaffinity(None).context("cannot see on which CPUs this thread may run")?;
    let done = what();
    sched_setaffinity(None, &before).context("cannot give back the CPUs this thread ran on")?;
    Ok(done)
}

/// Does `what` on that CPU, and afterwards lets this thread run where it might before.
pub fn on_cpu<T>(cpu: usize, what: impl FnOnce() -> Result<T>) -> Result<T> {
    keeping(|| pin(cpu).and_then(|()| what()))?
}
