// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing at all while more than half of the lifetime is left, then a whole new value: never a store in place. The tag beside the
//! lifetime says whose it is; the copy is taken as it comes.

use model::dsl::{Op, Outcome, Step, Then};

use super::{AGAIN, COPY_VALUE, CREATE, FREE, LOOK_UP, MISSED, READ_CLOCK, REPLACE, Discipline};

const JUDGE: Step = Step::new("judge", "program: read lifetime and tag", Op::JudgeHalf)
    .on(&[(Outcome::Live, Then::End), (Outcome::Other, AGAIN)]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "half-life",
    about: "nothing while more than half of a tagged lifetime is left, then copy and replace",
    steps: &[READ_CLOCK, LOOK_UP, JUDGE, COPY_VALUE, REPLACE.then(Then::Go("free")), CREATE, FREE],
    tagged: true,
    gives_up: &["lifetimes exact to better than a half", "32 bits of the value for a tag", MISSED],
    never_with: "Never with a delete that does not compare, nor with entries that carry state: the copy may be another flow's.",
    ..Discipline::PLAIN
};
