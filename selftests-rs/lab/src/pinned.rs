// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program that is called on the CPU that opened the flow: records are brought to their CPUs, one CPU after the other.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use approaches::Form;
use cmpdel_uapi_raw::Errno;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::claims::{Claims, Expired, Remove, tell_fate};
use crate::layout::Fate;
use crate::load::Denied;
use crate::program::Program;
use crate::target::Target;
use crate::value::cpu_of;

/// A loaded program, for records of any CPU.
pub struct OnFlowCpu<'a>(Program<'a>);

impl<'a> OnFlowCpu<'a> {
    /// Loads `object` on the target's map.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn load(object: &str, target: Target<'a>) -> Result<Self, Denied> {
        Program::load(object, Form::Array, target).map(Self)
    }
}

impl Remove for OnFlowCpu<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], now: u32, claims: &mut dyn Claims) -> Result<()> {
        let mut by_cpu: BTreeMap<u32, Vec<Expired<'_>>> = BTreeMap::new();
        for &entry in expired {
            by_cpu.entry(cpu_of(entry.value)).or_default().push(entry);
        }
        let before = sched_getaffinity(None).context("cannot ask where this thread may run")?;
        let mut removed = Ok(());
        for (cpu, entries) in by_cpu {
            let mut there = CpuSet::new();
            let known = (cpu as usize) < CpuSet::MAX_CPU;
            if known {
                there.set(cpu as usize);
            }
            // A CPU that is not there has no packets either, but nobody may take its flows on that ground.
            if let Err(errno) = sched_setaffinity(None, &there) {
                claims.error(Errno(errno.raw_os_error()));
                entries.iter().for_each(|entry| tell_fate(claims, entry, Fate::Error));
                continue;
            }
            removed = removed.and_then(|()| self.0.remove(&entries, now, claims));
        }
        sched_setaffinity(None, &before).context("cannot let this thread run where it could")?;
        removed
    }
}
