// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys: per key nothing changes but the price.

use anyhow::Result;

use super::{Strategy, prog};
use crate::collector::{Kernel, Remove, Target};
use crate::load::Denied;
use crate::program::{Form, Program};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-array",
    about: "the same for an array of keys in one run",
    grace: false,
    steps: prog::STRATEGY.steps,
    kernel: Kernel::Snapshot(open),
    series: None,
};

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    Ok(Box::new(Program::load("prog", Form::Array, target)?))
}
