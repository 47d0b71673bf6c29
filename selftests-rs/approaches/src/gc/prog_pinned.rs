// SPDX-License-Identifier: MIT OR Apache-2.0
//! On the CPU that handles the flow's packets, with interrupts off: no packet of the flow runs meanwhile.

use model::dsl::{Op, Outcome, Step, Then};

use super::{DELETE, FREE, JUDGE, LOOK_UP, READ_CLOCK, SNAPSHOT, Strategy};
use crate::{Family, Objection, Runs};

const OUT: Then = Then::Go("unpin");
pub(super) const PIN: Step = Step::new("pin", "bpf_local_irq_save", Op::Pin);
pub(super) const UNPIN: Step = Step::new("unpin", "bpf_local_irq_restore", Op::Unpin).same_call();
pub(super) const PINNED_JUDGE: Step = JUDGE.on(&[(Outcome::Live, OUT)]);
pub(super) const PINNED_DELETE: Step = DELETE.on(&[(Outcome::Missing, OUT)]);
const PINNED_LOOK_UP: Step = LOOK_UP.on(&[(Outcome::Missing, OUT)]);


pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-pinned",
    about: "on the flow's own CPU with interrupts off: looks up, compares and deletes",
    steps: &[READ_CLOCK, SNAPSHOT, PIN, PINNED_LOOK_UP, PINNED_JUDGE, PINNED_DELETE, FREE, UNPIN],
    runs: Runs::OnFlowCpu("prog-pinned"),
    // Before, a test run left bottom halves on, and no program could turn interrupts off.
    since: (6, 12),
    family: Family::Pinned,
    answers: &[Objection::Program],
    gives_up: &["packets of a flow on any CPU but one", "a call on each CPU, and interrupts for its length",
        "entries of a CPU that goes away: nobody collects them"],
    whole_packets: true,
    never_with: "Never with flows that move between CPUs, nor with a kernel whose packets run in threads that it preempts.",
    ..Strategy::PLAIN
};
