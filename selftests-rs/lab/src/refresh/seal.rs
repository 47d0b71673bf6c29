// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exchange; if what was there is the seal, gc won. Needs a gc that seals.

use model::dsl::{Outcome, Then};

use super::{CREATE, Discipline, EXCHANGE, FREE, LOOK_UP, READ_CLOCK, REPLACE};

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "seal",
    about: "look-up, atomic exchange; if the old value is the seal, replace",
    ordering: true,
    steps: &[
        READ_CLOCK,
        LOOK_UP,
        EXCHANGE.on(&[(Outcome::Sealed, Then::Go("replace"))]).then(Then::End),
        REPLACE.then(Then::Go("free")),
        CREATE,
        FREE,
    ],
};
