// SPDX-License-Identifier: MIT OR Apache-2.0
//! `BPF_F_COMPARE`, one call a key.

use super::{COMPARE, FREE, READ_CLOCK, SNAPSHOT, Strategy, UNLINK};
use crate::{Family, Objection};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "compare",
    about: "BPF_F_COMPARE, one call a key",
    steps: &[READ_CLOCK, SNAPSHOT, COMPARE, UNLINK, FREE],
    grace: true,
    family: Family::Compare,
    answers: &[Objection::Proposal],
    patched: true,
    gives_up: &["kernels without the series"],
    never_with: "Never with a store in place through a pointer: it may come after the comparison.",
    since: (7, 3),
    ..Strategy::PLAIN
};
