// SPDX-License-Identifier: MIT OR Apache-2.0
//! `due`, with a lifetime that names its flow: an element that is another flow's by now is not taken for this one's.
//! Not in the specification of the matrix: found by what the model has against `due`.

use model::dsl::{Op, Outcome, Step, Then};

use super::{CREATE, Discipline, FREE, LOOK_UP, READ_CLOCK, REPLACE, STORE};

// One load reads both, so that they belong together.
const JUDGE: Step = Step::new("judge", "program: read lifetime and tag", Op::JudgeTagged)
    .on(&[(Outcome::Expired, Then::Go("replace")), (Outcome::Other, Then::Go("replace"))]);

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "due-tagged",
    about: "as due, with a lifetime that names its flow, so that an element handed on is not stored to",
    ordering: true,
    steps: &[READ_CLOCK, LOOK_UP, JUDGE, STORE.then(Then::End), REPLACE.then(Then::Go("free")), CREATE, FREE],
    tagged: true,
    ..Discipline::PLAIN
};
