// SPDX-License-Identifier: MIT OR Apache-2.0
//! `half-life`, with updates and deletes of a key under a lock word of the programs' own. An LRU map evicts outside of it, so the
//! copy is checked as well.

use model::dsl::{Op, Outcome, Step, Then};

use crate::Protocol;

use super::{
    AGAIN, COPY_VALUE, CREATE_STRIPED, DROP_STRIPE, Discipline, FREE, LOOK_UP_STRIPED, LOOK_UP_TO_STRIPE, READ_CLOCK,
    MISSED, REORDERED, REPLACE, TAKE_STRIPE,
};

const JUDGE: Step = Step::new("judge", "program: read lifetime and tag", Op::JudgeHalf)
    .on(&[(Outcome::Live, Then::End), (Outcome::Other, AGAIN)]);
const CHECK: Step = super::CHECK.on(&[(Outcome::Other, Then::Go("look_up_striped"))]);

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "half-life-stripe",
    about: "nothing while more than half of a tagged lifetime is left; else stripe lock, look-up, update, unlock",
    ordering: true,
    steps: &[
        READ_CLOCK,
        LOOK_UP_TO_STRIPE,
        JUDGE,
        TAKE_STRIPE,
        LOOK_UP_STRIPED,
        COPY_VALUE,
        CHECK,
        REPLACE.then(Then::Go("free")),
        CREATE_STRIPED,
        FREE.then(Then::Next),
        DROP_STRIPE,
    ],
    protocol: Protocol::Stripe,
    tagged: true,
    gives_up: &[REORDERED, "lifetimes exact to better than a half", "a spinning wait, with a bound, where two keys share a lock word", MISSED],
    never_with: "Never with a new entry, an update or a delete by anybody that does not take the stripe.",
    ..Discipline::PLAIN
};
