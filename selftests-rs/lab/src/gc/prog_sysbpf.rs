// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program reaches `BPF_F_COMPARE` through `bpf_sys_bpf`: no helper or kfunc has to be added.

use super::{Strategy, compare};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-sysbpf",
    about: "a syscall program calls BPF_MAP_DELETE_ELEM with BPF_F_COMPARE through bpf_sys_bpf",
    grace: false,
    steps: compare::STRATEGY.steps,
};
