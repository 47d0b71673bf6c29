// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each packet takes the lock word of its key around look-up and store.

use model::dsl::Then;

use crate::Protocol;

use super::{
    CREATE, DROP_STRIPE, Discipline, FREE, LOOK_UP_STRIPED, LOOK_UP_TO_STRIPE, READ_CLOCK, STORE, TAKE_STRIPE,
};

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "store-stripe",
    about: "stripe lock, look-up, store, unlock, on each packet",
    ordering: true,
    steps: &[
        READ_CLOCK,
        LOOK_UP_TO_STRIPE,
        TAKE_STRIPE,
        LOOK_UP_STRIPED,
        STORE.then(Then::Go("drop_stripe")),
        CREATE,
        FREE.then(Then::Next),
        DROP_STRIPE,
    ],
    protocol: Protocol::Stripe,
    gives_up: &["two atomic operations and a second look-up for each packet"],
    never_with: "Never with eviction, nor with a delete by anybody that does not take the stripe.",
    ..Discipline::PLAIN
};
