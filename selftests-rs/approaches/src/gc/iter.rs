// SPDX-License-Identifier: MIT OR Apache-2.0
//! A walk in the kernel, without a snapshot. The callback's key lies in the element, so it is copied before anything is deleted
//! by it.

use super::{COPY_KEY, DELETE, FREE, JUDGE, READ_CLOCK, Strategy, VISIT};
use crate::{Family, Form, Objection, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "iter",
    about: "bpf_for_each_map_elem: walks, compares and deletes in the kernel",
    steps: &[READ_CLOCK, VISIT, COPY_KEY, JUDGE, DELETE, FREE],
    runs: Runs::Program("iter", Form::Walk),
    family: Family::Program,
    answers: &[Objection::Program],
    never_with: "Never with entries that somebody refreshes meanwhile: it deletes by key.",
    ..Strategy::PLAIN
};
