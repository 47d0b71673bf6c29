// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table lives in an arena: a compare-and-swap on the slot's state word.

use model::dsl::{Op, Outcome, Step, Then};

use crate::Protocol;

use super::{Discipline, READ_CLOCK};

const FIND: Step = Step::new("find", "program: read the state word", Op::Find)
    .on(&[(Outcome::Missing, Then::Syn("create"))]);
// Lost: somebody else changed the word, so look again.
const CAS: Step = Step::new("cas", "program: cmpxchg on the state word", Op::CasRefresh)
    .on(&[(Outcome::Lost, Then::Go("find"))])
    .then(Then::End);
const CREATE: Step = Step::new("create", "program: claim a free slot", Op::CasCreate)
    .on(&[(Outcome::Exists, Then::Go("find"))]);

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "arena",
    about: "compare-and-swap on the slot's state word in a BPF arena",
    ordering: true,
    steps: &[READ_CLOCK, FIND, CAS, CREATE],
    protocol: Protocol::Arena,
    since: (6, 10),
    gives_up: &[
        "maps, and every tool that reads them",
        "protection of entries from whoever maps the arena",
        "counters that are sure to be the flow's: they stand beside the word, and a packet that is held up may add to another's",
    ],
    never_with: "Never with anybody who writes to a slot without a compare-and-swap of its state word.",
    ..Discipline::PLAIN
};
