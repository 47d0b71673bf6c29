// SPDX-License-Identifier: MIT OR Apache-2.0
//! A walk in the kernel, without a snapshot.

use model::dsl::{Op, Outcome, Step, Then};

use super::{DELETE, FREE, JUDGE, READ_CLOCK, Strategy};
use crate::{Family, Form, Objection, Runs};

// hashtab.c:2330-2350: an RCU section a bucket, no bucket lock.
const VISIT: Step =
    Step::new("visit", "bpf_for_each_hash_elem", Op::LookUp).on(&[(Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "iter",
    about: "bpf_for_each_map_elem: walks, compares and deletes in the kernel",
    steps: &[READ_CLOCK, VISIT, JUDGE, DELETE, FREE],
    runs: Runs::Program("iter", Form::Walk),
    family: Family::Program,
    answers: &[Objection::Program],
    ..Strategy::PLAIN
};
