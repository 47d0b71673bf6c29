// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program calls a kfunc that compares and deletes under the bucket lock.

use anyhow::Result;

use crate::collector::{Kernel, Remove, Target, require};
use crate::load::Denied;
use crate::program::{Form, Program};
use model::dsl::{Op, Outcome, Step, Then};

use super::{FREE, READ_CLOCK, SNAPSHOT, Strategy, UNLINK};

const COMPARE: Step = Step::new("compare", "bpf_map_compare_and_delete_elem", Op::Compare)
    .on(&[(Outcome::Differs, Then::End), (Outcome::Missing, Then::End)]);

const NAME: &str = "prog-kfunc";

pub(super) const STRATEGY: Strategy = Strategy {
    name: NAME,
    about: "a syscall program calls a compare-and-delete kfunc",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, COMPARE, UNLINK, FREE],
    kernel: Kernel::Snapshot(open),
    series: Some("kfunc"),
};

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    // The verifier does not know which maps and values the kfunc takes: ask it.
    let free = Program::load(NAME, Form::Single, Target { gated: false, ..target })?;
    require("bpf_map_compare_and_delete_elem()", free.answer_to_absent()?)?;
    Ok(Box::new(Program::load(NAME, Form::Array, target)?))
}
