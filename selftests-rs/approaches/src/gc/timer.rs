// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry's own timer, which the datapath set when it made the entry. Kernel documentation suggests it; here it is a control.

use model::dsl::{Op, Outcome, Step, Then};

use super::{COPY_KEY, DELETE, FREE, JUDGE, Strategy};
use crate::{Family, Objection, Protocol, Runs};

// helpers.c:1183: the callback has key and value of the element, which may be unlinked meanwhile. It reads the clock itself.
const FIRE: Step = Step::new("fire", "bpf_timer_cb", Op::Fire).on(&[(Outcome::Missing, Then::End)]);


pub(super) const STRATEGY: Strategy = Strategy {
    name: "timer",
    about: "the entry's own bpf_timer compares and deletes it, or is set again",
    steps: &[FIRE, COPY_KEY, JUDGE, DELETE, FREE],
    runs: Runs::Timer { pinned: false },
    protocol: Protocol::Timer,
    family: Family::Timer,
    answers: &[Objection::Program],
    gives_up: &["16 bytes of the value, and a timer for each entry", "updates that replace entries"],
    never_with: "Never with packets on another CPU than the timer's.",
    ..Strategy::PLAIN
};
