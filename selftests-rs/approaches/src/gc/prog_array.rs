// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys: per key nothing changes but the price.

use super::{Strategy, prog};
use crate::{Family, Form, Objection, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-array",
    about: "the same for an array of keys in one run",
    steps: prog::STRATEGY.steps,
    runs: Runs::Program("prog", Form::Array),
    family: Family::Program,
    answers: &[Objection::Program],
    never_with: "Never with entries that somebody refreshes meanwhile: it deletes by key.",
    ..Strategy::PLAIN
};
