// SPDX-License-Identifier: MIT OR Apache-2.0
//! A walk in the kernel, without a snapshot.

use anyhow::Result;
use model::dsl::{Op, Outcome, Step, Then};

use crate::collector::{Kernel, Target, Walk};
use crate::load::Denied;
use crate::program::{Form, Program};

use super::{DELETE, FREE, JUDGE, READ_CLOCK, Strategy};

// hashtab.c:2330-2350: an RCU section a bucket, no bucket lock.
const VISIT: Step =
    Step::new("visit", "bpf_for_each_hash_elem", Op::LookUp).on(&[(Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "iter",
    about: "bpf_for_each_map_elem: walks, compares and deletes in the kernel",
    grace: false,
    steps: &[READ_CLOCK, VISIT, JUDGE, DELETE, FREE],
    kernel: Kernel::Walk(open),
    series: None,
};

fn open(target: Target<'_>) -> Result<Box<dyn Walk + '_>, Denied> {
    Ok(Box::new(Program::load("iter", Form::Walk, target)?))
}
