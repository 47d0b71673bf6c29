// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program that compares and marks the entry dead under its lock, then deletes it by key.

use anyhow::Result;

use super::{DELETE, FREE, LOCKED_MARK, LOOK_UP, READ_CLOCK, SNAPSHOT, Strategy};
use crate::collector::{Kernel, Remove, Target};
use crate::load::Denied;
use crate::program::{Form, Program};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-lock",
    about: "a syscall program compares and marks dead under bpf_spin_lock, then deletes",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP, LOCKED_MARK, DELETE, FREE],
    kernel: Kernel::Snapshot(open),
    series: None,
};

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    Ok(Box::new(Program::load("prog-lock", Form::Single, target)?))
}
