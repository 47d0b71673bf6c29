// SPDX-License-Identifier: MIT OR Apache-2.0
//! `due`, with a tag beside the lifetime: an element that is another flow's by now is not taken for this one's.

use model::dsl::{Op, Outcome, Step, Then};

use super::{AGAIN, CHECK, COPY_VALUE, CREATE, Discipline, FREE, LOOK_UP, READ_CLOCK, REPLACE, STORE};

// One 64-bit load reads both, so that they belong together.
const JUDGE: Step = Step::new("judge", "program: read lifetime and tag", Op::JudgeTagged)
    .on(&[(Outcome::Expired, Then::Go("copy_value")), (Outcome::Other, AGAIN)]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "due-tagged",
    about: "as due, with a tag beside the lifetime, so that an element handed on is neither stored to nor copied",
    ordering: true,
    steps: &[
        READ_CLOCK,
        LOOK_UP,
        JUDGE,
        STORE.then(Then::End),
        COPY_VALUE,
        CHECK,
        REPLACE.then(Then::Go("free")),
        CREATE,
        FREE,
    ],
    tagged: true,
    gives_up: &["32 bits of the value for a tag, and a hash of the tuple for each packet"],
    never_with: "Never with a collector that does not wait for a grace period and compare.",
    ..Discipline::PLAIN
};
