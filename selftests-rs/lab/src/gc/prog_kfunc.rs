// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program calls a kfunc that compares and deletes under the bucket lock.

use crate::collector::Kernel;
use model::dsl::{Op, Outcome, Step, Then};

use super::{FREE, READ_CLOCK, SNAPSHOT, Strategy, UNLINK};

const COMPARE: Step = Step::new("compare", "bpf_map_delete_elem_cmp", Op::Compare)
    .on(&[(Outcome::Differs, Then::End), (Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-kfunc",
    about: "a syscall program calls a compare-and-delete kfunc",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, COMPARE, UNLINK, FREE],
    kernel: Kernel::Nowhere("the series has no kfunc for programs"),
};
