// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gates: where a side stops before a step until it is let on. The programs have theirs (`gate()` in `bpf/conntrack.h`); what a
//! collector does in user space stops here.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::contract;
use crate::layout::{Control, Gate, STEPS};

/// Whose gate, as `enum actor` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Actor {
    /// The datapath.
    Packet = contract::PACKET,
    /// The collector.
    Gc = contract::GC,
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

#[cfg(test)]
mod tests {
    use approaches::{Gc, Refresh};

    use super::*;

    #[test]
    fn every_gate_of_the_catalogue_has_a_name() {
        let refresh = Refresh::ALL.iter().flat_map(|discipline| discipline.steps);
        let gc = Gc::ALL.iter().flat_map(|strategy| strategy.steps);
        let unknown: Vec<_> = refresh
            .chain(gc)
            .filter(|step| step.gate && !STEPS.contains(&step.label))
            .map(|step| step.label)
            .collect();
        assert_eq!(unknown, Vec::<&str>::new(), "add them to `enum step` in bpf/contract.h");
    }
}
