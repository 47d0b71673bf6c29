// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program that compares and marks the entry dead under its lock, then deletes it by key.

use super::{DELETE_OR_UNMARK, FREE_MARKED, LOCKED_MARK, LOCKED_UNMARK, LOOK_UP, READ_CLOCK, SNAPSHOT, Strategy};
use crate::{Family, Form, Objection, Protocol, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-lock",
    about: "a syscall program compares and marks dead under bpf_spin_lock, then deletes what it has marked",
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP, LOCKED_MARK, DELETE_OR_UNMARK, FREE_MARKED, LOCKED_UNMARK],
    runs: Runs::Program("prog-lock", Form::Single),
    protocol: Protocol::Lock,
    family: Family::SpinLock,
    answers: &[Objection::SpinLock, Objection::Program],
    gives_up: &["removals by whoever has no such program"],
    never_with: "Never with a writer that does not look at mark and tag under the lock.",
    ..Strategy::PLAIN
};
