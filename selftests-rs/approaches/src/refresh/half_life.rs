// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing at all while more than half of the lifetime is left, then a whole new value: never a store in place. The
//! lifetime names its flow, so that what another flow has left of its own is not taken for this one's. Not in the
//! specification of the matrix.

use model::dsl::{Op, Outcome, Step, Then};

use super::{CREATE, Discipline, FREE, LOOK_UP, READ_CLOCK, REPLACE};

const JUDGE: Step =
    Step::new("judge", "program: read lifetime and tag", Op::JudgeHalf).on(&[(Outcome::Live, Then::End)]);

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "half-life",
    about: "nothing while more than half of a lifetime that names its flow is left, then replace",
    steps: &[READ_CLOCK, LOOK_UP, JUDGE, REPLACE.then(Then::Go("free")), CREATE, FREE],
    tagged: true,
    ..Discipline::PLAIN
};
