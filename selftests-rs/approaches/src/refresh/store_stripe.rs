// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each packet takes the lock word of its key around look-up and store.

use model::dsl::{Op, Outcome, Step, Then};

use crate::Protocol;

use super::{
    CREATE_STRIPED, DROP_STRIPE, Discipline, FREE, READ_CLOCK, STORE,
};

// Before anything is looked up.
const TAKE_STRIPE: Step = Step::new("take_stripe", "program: cmpxchg on the lock word", Op::TakeStripe);
const LOOK_UP_STRIPED: Step = super::LOOK_UP_STRIPED
    .on(&[(Outcome::Missing, Then::SynElse("create", "drop_stripe"))]);

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "store-stripe",
    about: "stripe lock, look-up, store, unlock, on each packet",
    ordering: true,
    steps: &[
        READ_CLOCK,
        TAKE_STRIPE,
        LOOK_UP_STRIPED,
        STORE.then(Then::Go("drop_stripe")),
        CREATE_STRIPED,
        FREE.then(Then::Next),
        DROP_STRIPE,
    ],
    protocol: Protocol::Stripe,
    gives_up: &[
        "two atomic operations for each packet",
        "a spinning wait, with a bound after which the packet is dropped, where two keys share a lock word",
    ],
    never_with: "Never with eviction, nor with a delete by anybody that does not take the stripe.",
    ..Discipline::PLAIN
};
