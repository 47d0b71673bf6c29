// SPDX-License-Identifier: MIT OR Apache-2.0
//! Delete by key whatever the snapshot has shown to be expired.

use super::{DELETE, FREE, READ_CLOCK, SNAPSHOT, Strategy};
use crate::{Family, Objection};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "blind",
    about: "deletes by key (Cilium 1.19)",
    steps: &[READ_CLOCK, SNAPSHOT, DELETE, FREE],
    grace: true,
    family: Family::Today,
    answers: &[Objection::Nothing],
    never_with: "Never with entries that somebody refreshes meanwhile: it deletes by key.",
    ..Strategy::PLAIN
};
