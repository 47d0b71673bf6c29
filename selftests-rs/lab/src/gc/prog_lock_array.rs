// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys.

use anyhow::Result;

use super::{Strategy, prog_lock};
use crate::collector::{Kernel, Remove, Target};
use crate::load::Denied;
use crate::program::{Form, Program};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-lock-array",
    about: "the same for an array of keys in one run",
    grace: false,
    steps: prog_lock::STRATEGY.steps,
    kernel: Kernel::Snapshot(open),
    series: None,
};

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    Ok(Box::new(Program::load("prog-lock", Form::Array, target)?))
}
