// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys.

use super::{Strategy, prog_mark};
use crate::{Family, Form, Objection, Protocol, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-mark-array",
    about: "the same for an array of keys in one run",
    steps: prog_mark::STRATEGY.steps,
    runs: Runs::Program("prog-mark", Form::Array),
    protocol: Protocol::Mark,
    grace: true,
    family: Family::Mark,
    answers: &[Objection::Program],
    gives_up: prog_mark::STRATEGY.gives_up,
    never_with: prog_mark::STRATEGY.never_with,
    ..Strategy::PLAIN
};
