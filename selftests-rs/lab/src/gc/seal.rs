// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare and, in the same atomic operation, seal; then unlink, all under the bucket lock. No kernel has it yet.

use crate::collector::Kernel;
use model::dsl::{Op, Outcome, Step, Then};

use super::{FREE, READ_CLOCK, SNAPSHOT, Strategy, UNLINK};

const COMPARE_AND_SEAL: Step =
    Step::new("compare_and_seal", "cmpxchg under the bucket lock", Op::CompareAndSeal)
        .on(&[(Outcome::Differs, Then::End), (Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "seal",
    about: "compares, writes the seal with the same atomic operation, unlinks",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, COMPARE_AND_SEAL, UNLINK, FREE],
    kernel: Kernel::Nowhere("no kernel seals an entry: this is in the model alone"),
    series: None,
};
