// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys.

use super::{Strategy, prog_lock};
use crate::{Family, Form, Objection, Protocol, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-lock-array",
    about: "the same for an array of keys in one run",
    steps: prog_lock::STRATEGY.steps,
    runs: Runs::Program("prog-lock", Form::Array),
    protocol: Protocol::Lock,
    family: Family::SpinLock,
    answers: &[Objection::SpinLock, Objection::Program],
    gives_up: prog_lock::STRATEGY.gives_up,
    never_with: prog_lock::STRATEGY.never_with,
    ..Strategy::PLAIN
};
