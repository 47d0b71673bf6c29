// SPDX-License-Identifier: MIT OR Apache-2.0
//! What runs where while a CPU is held.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this thread on that CPU.
pub fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))
}

/// Does `what` on that CPU, and afterwards lets this thread run where it might before.
pub fn on_cpu<T>(cpu: usize, what: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = sched_getaffinity(None).context("cannot see on which CPUs this thread may run")?;
    pin(cpu)?;
    let done = what();
    sched_setaffinity(None, &before).context("cannot give back the CPUs this thread ran on")?;
    done
}

/// While it lives, devices interrupt one CPU alone, as far as they can be told to. A thread that starts a program's code
/// for the first time reads it from the shared root file system, and would otherwise wait for an interrupt of the held CPU.
pub struct Interrupts {
    before: Vec<(PathBuf, String)>,
}

impl Interrupts {
    /// To that CPU. An interrupt of the IO-APIC moves when it next comes: reading and writing a request brings it about.
    pub fn to(cpu: usize) -> Result<Self> {
        let mut before = Vec::new();
        for entry in fs::read_dir("/proc/irq").context("cannot list the interrupts in /proc/irq")? {
            let file = entry?.path().join("smp_affinity_list");
            let Ok(cpus) = fs::read_to_string(&file) else { continue };
            // The timer's, for one, refuses.
            if fs::write(&file, cpu.to_string()).is_ok() {
                before.push((file, cpus));
            }
        }
        Ok(Self { before })
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        for (file, cpus) in &self.before {
            // It was accepted before; what is lost otherwise is a matter of speed.
            let _ = fs::write(file, cpus.trim());
        }
    }
}
