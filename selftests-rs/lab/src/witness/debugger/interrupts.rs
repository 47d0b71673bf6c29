// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where devices interrupt while a CPU is held.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

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
