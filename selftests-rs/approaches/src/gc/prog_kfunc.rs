// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program calls a kfunc that compares and deletes under the bucket lock: the system call's own operation.

use super::{Strategy, compare};
use crate::{Family, Form, Objection, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-kfunc",
    about: "a syscall program calls a compare-and-delete kfunc",
    steps: compare::STRATEGY.steps,
    runs: Runs::Program("prog-kfunc", Form::Array),
    family: Family::Compare,
    answers: &[Objection::Proposal],
    series: Some("kfunc"),
    patched: true,
    gives_up: &["kernels without the series"],
    never_with: "Never with a store in place through a pointer: it may come after the comparison.",
    since: (7, 3),
    ..Strategy::PLAIN
};
