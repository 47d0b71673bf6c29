// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program reaches `BPF_F_COMPARE` through `bpf_sys_bpf`: no helper or kfunc has to be added.

use anyhow::Result;

use super::{Strategy, compare};
use crate::collector::{Kernel, Remove, Target, supported};
use crate::load::Denied;
use crate::program::{Form, Program};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-sysbpf",
    about: "a syscall program calls BPF_MAP_DELETE_ELEM with BPF_F_COMPARE through bpf_sys_bpf",
    grace: false,
    steps: compare::STRATEGY.steps,
    kernel: Kernel::Snapshot(open),
    series: None,
};

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    // Its errors come one a record; whether the kernel takes it at all is asked first.
    supported(target.map)?;
    Ok(Box::new(Program::load("prog-sysbpf", Form::Array, target)?))
}
