// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program that swaps the mark into the word of an expired entry, then deletes it by key.

use super::{CAS_MARK, CAS_UNMARK, DELETE_OR_UNMARK, FREE_MARKED, LOOK_UP, READ_CLOCK, READ_WORD, SNAPSHOT, Strategy};
use crate::{Family, Form, Objection, Protocol, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-mark",
    about: "a syscall program marks dead by compare-and-swap, then deletes what it has marked",
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP, READ_WORD, CAS_MARK, DELETE_OR_UNMARK, FREE_MARKED, CAS_UNMARK],
    runs: Runs::Program("prog-mark", Form::Single),
    protocol: Protocol::Mark,
    grace: true,
    family: Family::Mark,
    answers: &[Objection::Program],
    gives_up: &["removals by whoever has no such program"],
    never_with: "Never with a writer that does not look at the mark, nor with eviction: the delete that follows is by key.",
    ..Strategy::PLAIN
};
