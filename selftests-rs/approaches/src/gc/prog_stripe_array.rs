// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys; it lets go after each.

use super::{Strategy, prog_stripe};
use crate::{Family, Form, Objection, Protocol, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-stripe-array",
    about: "the same for an array of keys in one run",
    steps: prog_stripe::STRATEGY.steps,
    runs: Runs::Program("prog-stripe", Form::Array),
    protocol: Protocol::Stripe,
    family: Family::Stripe,
    answers: &[Objection::SpinLock, Objection::Program],
    gives_up: prog_stripe::STRATEGY.gives_up,
    whole_packets: true,
    never_with: prog_stripe::STRATEGY.never_with,
    ..Strategy::PLAIN
};
