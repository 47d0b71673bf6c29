// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys; it lets go after each.

use super::{Strategy, prog_stripe};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-stripe-array",
    about: "the same for an array of keys in one run",
    runs: Runs::Program("prog-stripe", Form::Array),
    ..prog_stripe::STRATEGY
};
