// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program reaches `BPF_F_COMPARE` through `bpf_sys_bpf`: no helper or kfunc has to be added.

use super::{Strategy, compare};
use crate::{Family, Form, Objection, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-sysbpf",
    about: "a syscall program calls BPF_MAP_DELETE_ELEM with BPF_F_COMPARE through bpf_sys_bpf",
    steps: compare::STRATEGY.steps,
    runs: Runs::Program("prog-sysbpf", Form::Array),
    family: Family::Compare,
    answers: &[Objection::Proposal],
    patched: true,
    gives_up: &["kernels without the series"],
    never_with: "Never with a store in place through a pointer: it may come after the comparison.",
    since: (7, 3),
    ..Strategy::PLAIN
};
