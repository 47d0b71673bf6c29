// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program calls a kfunc that compares and deletes under the bucket lock.

use model::dsl::{Op, Outcome, Step, Then};

use super::{FREE, READ_CLOCK, SNAPSHOT, Strategy, UNLINK};
use crate::{Family, Form, Objection, Runs};

const COMPARE: Step = Step::new("compare", "bpf_map_compare_and_delete_elem", Op::Compare)
    .on(&[(Outcome::Differs, Then::End), (Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-kfunc",
    about: "a syscall program calls a compare-and-delete kfunc",
    steps: &[READ_CLOCK, SNAPSHOT, COMPARE, UNLINK, FREE],
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
