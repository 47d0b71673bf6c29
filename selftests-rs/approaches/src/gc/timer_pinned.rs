// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same on the CPU that set the timer: in a softirq, so that no packet of that CPU runs meanwhile.

use model::dsl::{Op, Outcome, Step, Then};

use super::prog_pinned::{PINNED_DELETE, PINNED_JUDGE};
use super::{COPY_KEY, FREE, Strategy};
use crate::{Family, Objection, Protocol, Runs};

const PIN: Step = Step::new("pin", "hrtimer_run_softirq", Op::Pin);
const FIRE: Step =
    Step::new("fire", "bpf_timer_cb", Op::Fire).same_call().on(&[(Outcome::Missing, Then::Go("unpin"))]);
const UNPIN: Step = Step::new("unpin", "hrtimer_run_softirq", Op::Unpin).same_call();


pub(super) const STRATEGY: Strategy = Strategy {
    name: "timer-pinned",
    about: "the same with BPF_F_TIMER_CPU_PIN: on the flow's own CPU",
    steps: &[PIN, FIRE, COPY_KEY, PINNED_JUDGE, PINNED_DELETE, FREE, UNPIN],
    runs: Runs::Timer { pinned: true },
    protocol: Protocol::Timer,
    family: Family::Timer,
    answers: &[Objection::Program],
    since: (6, 7),
    gives_up: &[
        "16 bytes of the value, and a timer for each entry",
        "updates that replace entries",
        "flows of a CPU that goes off, as in a suspend: their timers fire on another from then on",
    ],
    whole_packets: true,
    never_with: "Never with flows that move between CPUs, nor with a kernel whose packets run in threads that it preempts.",
    ..Strategy::PLAIN
};
