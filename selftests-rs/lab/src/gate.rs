// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gates: where a side stops before a step until it is let on. The programs have theirs (`gate()` in
//! `bpf/conntrack.h`); what a collector does in user space stops here.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::layout::{Control, Gate};

/// The names of `enum step`, in its order, and then of the steps that user space takes alone. They are the labels of the
/// model's steps.
pub const STEPS: [&str; 21] = [
    "",
    "read_clock",
    "look_up",
    "create",
    "store",
    "replace",
    "locked_store",
    "exchange",
    "look_up_again",
    "judge",
    "visit",
    "locked_mark",
    "delete",
    "compare",
    "find",
    "cas",
    "grace",
    "snapshot",
    "look_up_locked",
    "take",
    "restore",
];

/// Whose gate, as `enum actor` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The datapath.
    Packet,
    /// The collector.
    Gc,
}

/// How long a side may take to come to its next gate: it runs on an emulated CPU that the host may take away.
const PATIENCE: Duration = Duration::from_secs(5);

impl Actor {
    /// Its gate.
    pub fn gate(self, control: &Control) -> &Gate {
        &control.gates[self as usize]
    }
}

/// Stops a collector before what it does in user space. Not held, it costs one branch.
#[derive(Clone, Copy)]
pub struct Stop<'a>(pub Option<&'a Control>);

impl Stop<'_> {
    /// Waits until the step `label` is allowed.
    ///
    /// # Errors
    /// It was not, for longer than anybody should have to wait.
    pub fn before(self, label: &'static str) -> Result<()> {
        let Some(control) = self.0 else { return Ok(()) };
        let gate = Actor::Gc.gate(control);
        let number = STEPS.iter().position(|step| *step == label).unwrap_or(0);
        gate.step.store(u32::try_from(number).unwrap_or(0), Relaxed);
        let come_to = gate.at.load(Relaxed) + 1;
        gate.at.store(come_to, Release);
        let since = Instant::now();
        while gate.go.load(Acquire) < come_to {
            if since.elapsed() > PATIENCE {
                bail!("the collector was held before `{label}` for more than {} s", PATIENCE.as_secs());
            }
            thread::yield_now();
        }
        Ok(())
    }
}
