// SPDX-License-Identifier: MIT OR Apache-2.0
//! `BPF_F_COMPARE` for a whole snapshot: the bucket lock is taken once a key, so per key nothing changes but the price.

use super::{Strategy, compare};
use crate::{Family, Objection};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "compare-batch",
    about: "BPF_F_COMPARE for a whole snapshot in one call",
    steps: compare::STRATEGY.steps,
    grace: true,
    family: Family::Compare,
    answers: &[Objection::Proposal],
    patched: true,
    gives_up: &["kernels without the series"],
    never_with: "Never with a store in place through a pointer: it may come after the comparison.",
    since: (7, 3),
    ..Strategy::PLAIN
};
