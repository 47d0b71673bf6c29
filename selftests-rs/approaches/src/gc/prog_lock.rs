// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program that compares and marks the entry dead under its lock, then deletes it by key.

use super::{DELETE, FREE, LOCKED_MARK, LOOK_UP, READ_CLOCK, SNAPSHOT, Strategy};
use crate::{Family, Form, Objection, Protocol, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-lock",
    about: "a syscall program compares and marks dead under bpf_spin_lock, then deletes",
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP, LOCKED_MARK, DELETE, FREE],
    runs: Runs::Program("prog-lock", Form::Single),
    protocol: Protocol::Lock,
    family: Family::SpinLock,
    answers: &[Objection::SpinLock, Objection::Program],
    ..Strategy::PLAIN
};
