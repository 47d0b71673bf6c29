// SPDX-License-Identifier: MIT OR Apache-2.0
//! A store in place while the entry is live by a clock read first; once it is due, a whole new value.

use model::dsl::{Op, Outcome, Step, Then};

use super::{COPY_VALUE, CREATE, Discipline, FREE, LOOK_UP, READ_CLOCK, REPLACE, STORE};

// By the clock read before the look-up: gc's grace period counts on that order.
const JUDGE: Step =
    Step::new("judge", "program: read lifetime", Op::Judge).on(&[(Outcome::Expired, Then::Go("copy_value"))]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "due",
    about: "clock first; store while the entry is live by it, replace once it is due",
    ordering: true,
    steps: &[
        READ_CLOCK,
        LOOK_UP,
        JUDGE,
        STORE.then(Then::End),
        COPY_VALUE,
        REPLACE.then(Then::Go("free")),
        CREATE,
        FREE,
    ],
    never_with: "Never with a collector that does not wait for a grace period, nor with maps that hand elements on at once.",
    ..Discipline::PLAIN
};
