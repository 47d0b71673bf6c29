// SPDX-License-Identifier: MIT OR Apache-2.0
//! `half-life`, and a second look at what the copy was made from.

use model::dsl::{Op, Outcome, Step, Then};

use super::{AGAIN, CHECK, COPY_VALUE, CREATE, FREE, LOOK_UP, MISSED, READ_CLOCK, REORDERED, REPLACE, Discipline};

const JUDGE: Step = Step::new("judge", "program: read lifetime and tag", Op::JudgeHalf)
    .on(&[(Outcome::Live, Then::End), (Outcome::Other, AGAIN)]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "half-life-checked",
    about: "half-life, once a second look-up and the copied tag have shown that the copy is this flow's",
    steps: &[READ_CLOCK, LOOK_UP, JUDGE, COPY_VALUE, CHECK, REPLACE.then(Then::Go("free")), CREATE, FREE],
    tagged: true,
    gives_up: &[REORDERED, "lifetimes exact to better than a half", "32 bits of the value for a tag", MISSED],
    never_with: "Never with a delete that does not compare.",
    ..Discipline::PLAIN
};
