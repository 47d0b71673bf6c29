// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program calls a kfunc that compares and deletes under the bucket lock.

use anyhow::Result;

use crate::collector::{Kernel, Remove, Target};
use crate::load::Denied;
use crate::program::{Form, Program};
use model::dsl::{Op, Outcome, Step, Then};

use super::{FREE, READ_CLOCK, SNAPSHOT, Strategy, UNLINK};

const COMPARE: Step = Step::new("compare", "bpf_map_compare_and_delete_elem", Op::Compare)
    .on(&[(Outcome::Differs, Then::End), (Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-kfunc",
    about: "a syscall program calls a compare-and-delete kfunc",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, COMPARE, UNLINK, FREE],
    kernel: Kernel::Snapshot(open),
    series: Some("kfunc"),
};

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    Ok(Box::new(Program::load("prog-kfunc", Form::Array, target)?))
}
