// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is and what is not one step on a map, as the questions from the field put it. All of it holds with and without the
//! series; each promise stands beside a control that shows the same schedule breaking it.

pub(super) mod contest;
mod counters;
mod counts;
mod effort;
mod one_winner;
mod pairs;
mod pointers;
mod replacement;

use anyhow::{Context as _, Result};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Context;
use crate::verdict::{Test, Verdict};

/// The only key of most maps here.
const KEY: [u8; 4] = [0; 4];

/// What readers see of values that are always written whole, or in step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Whole,
    /// Other than that, at least once.
    Torn,
}

pub fn tests() -> Vec<Test> {
    [one_winner::tests, pointers::tests, counts::tests, pairs::tests, replacement::tests]
        .into_iter()
        .flat_map(|topic| topic())
        .collect()
}

/// That a race did not come about is no wonder on one CPU, and a fault of the test on several.
fn proves_nothing(context: &Context, seen: String) -> Verdict {
    if context.cpus == 1 { Verdict::Skip(format!("one CPU: {seen}")) } else { Verdict::Fail(seen) }
}

/// Runs the calling thread on one CPU, counted round.
pub(super) fn pin(cpu: usize, context: &Context) -> Result<()> {
    let cpu = cpu % context.cpus;
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))
}

/// Copies the entry at [`KEY`] to `value`.
fn copy_out(map: &MapHandle, value: &mut [u8], flags: MapFlags) -> Result<()> {
    let found = map.lookup_into(&KEY, value, flags).context("cannot look the entry up")?;
    anyhow::ensure!(found, "the entry is not there, and nobody deletes it");
    Ok(())
}

/// A word of 64 bits in a value; 0 beyond its end.
fn word(value: &[u8], index: usize) -> u64 {
    let bytes = value.get(index * 8..index * 8 + 8).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_ne_bytes).unwrap_or_default()
}
