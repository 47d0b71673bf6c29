// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program that takes the lock word of the key, and under it looks up, compares and deletes. With interrupts off: a packet on its
//! own CPU would wait for it for ever.

use model::dsl::{Outcome, Step, Then};

use super::{DELETE, DROP_STRIPE, FREE, JUDGE, LOOK_UP, READ_CLOCK, SNAPSHOT, Strategy, TAKE_STRIPE};
use crate::{Family, Form, Objection, Protocol, Runs};

const OUT: Then = Then::Go("drop_stripe");
pub(super) const STRIPED_LOOK_UP: Step = LOOK_UP.on(&[(Outcome::Missing, OUT)]);
pub(super) const STRIPED_JUDGE: Step = JUDGE.on(&[(Outcome::Live, OUT)]);
pub(super) const STRIPED_DELETE: Step = DELETE.on(&[(Outcome::Missing, OUT)]);


pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-stripe",
    about: "a program takes the stripe lock, looks up, compares, deletes and lets go",
    steps: &[
        READ_CLOCK,
        SNAPSHOT,
        TAKE_STRIPE,
        STRIPED_LOOK_UP,
        STRIPED_JUDGE,
        STRIPED_DELETE,
        FREE,
        DROP_STRIPE,
    ],
    runs: Runs::Program("prog-stripe", Form::Single),
    protocol: Protocol::Stripe,
    family: Family::Stripe,
    answers: &[Objection::SpinLock, Objection::Program],
    gives_up: &["interrupts, for the length of a delete", "removals by whoever has no such program"],
    whole_packets: true,
    never_with: "Never with a writer that does not take the stripe, nor with a kernel whose packets run in threads that it preempts.",
    ..Strategy::PLAIN
};
