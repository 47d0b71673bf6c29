// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program for one key: look-up, compare, delete.

use super::{DELETE, FREE, JUDGE, LOOK_UP, READ_CLOCK, SNAPSHOT, Strategy};
use crate::{Family, Form, Objection, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog",
    about: "a syscall program looks up, compares and deletes one key (Calico)",
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP, JUDGE, DELETE, FREE],
    runs: Runs::Program("prog", Form::Single),
    grace: true,
    family: Family::Program,
    answers: &[Objection::Program],
    never_with: "Never with entries that somebody refreshes meanwhile: it deletes by key.",
    ..Strategy::PLAIN
};
