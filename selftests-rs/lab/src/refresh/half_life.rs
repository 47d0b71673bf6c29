// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing at all while more than half of the lifetime is left, then a whole new value: never a store in place.

use model::dsl::{Op, Outcome, Step, Then};

use super::{CREATE, Discipline, FREE, LOOK_UP, READ_CLOCK, REPLACE};

const JUDGE: Step =
    Step::new("judge", "program: read lifetime", Op::JudgeHalf).on(&[(Outcome::Live, Then::End)]);

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "half-life",
    about: "nothing while more than half of the lifetime is left, then replace",
    ordering: false,
    steps: &[READ_CLOCK, LOOK_UP, JUDGE, REPLACE.then(Then::Go("free")), CREATE, FREE],
};
