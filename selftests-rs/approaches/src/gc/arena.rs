// SPDX-License-Identifier: MIT OR Apache-2.0
//! User space on the shared slots of an arena: no system call.

use model::dsl::{Op, Outcome, Step, Then};

use super::{READ_CLOCK, Strategy};
use crate::{Family, Objection, Protocol, Runs};

const FIND: Step = Step::new("find", "user space: read the state word", Op::Find)
    .on(&[(Outcome::Live, Then::End), (Outcome::Missing, Then::End)]);
const CAS: Step =
    Step::new("cas", "user space: cmpxchg on the state word", Op::CasRemove).reports(Outcome::Done);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "arena",
    about: "compare-and-swap on the shared slot, from user space",
    steps: &[READ_CLOCK, FIND, CAS],
    runs: Runs::Arena,
    protocol: Protocol::Arena,
    family: Family::Arena,
    answers: &[Objection::Arena],
    gives_up: &["maps, and every tool that reads them"],
    since: (6, 10),
    never_with: "Never with anybody who writes to a slot without a compare-and-swap of its state word.",
    ..Strategy::PLAIN
};
