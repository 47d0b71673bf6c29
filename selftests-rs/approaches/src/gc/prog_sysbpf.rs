// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program reaches `BPF_F_COMPARE` through `bpf_sys_bpf`: no helper or kfunc has to be added.

use super::{Strategy, compare};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-sysbpf",
    about: "a syscall program calls BPF_MAP_DELETE_ELEM with BPF_F_COMPARE through bpf_sys_bpf",
    runs: Runs::Program("prog-sysbpf", Form::Array),
    grace: false,
    ..compare::STRATEGY
};
