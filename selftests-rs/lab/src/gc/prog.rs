// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program for one key: look-up, compare, delete.

use anyhow::Result;

use super::{DELETE, FREE, JUDGE, LOOK_UP, READ_CLOCK, SNAPSHOT, Strategy};
use crate::collector::{Kernel, Remove, Target};
use crate::load::Denied;
use crate::program::{Form, Program};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog",
    about: "a syscall program looks up, compares and deletes one key (Calico)",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP, JUDGE, DELETE, FREE],
    kernel: Kernel::Snapshot(open),
    series: None,
};

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    Ok(Box::new(Program::load("prog", Form::Single, target)?))
}
