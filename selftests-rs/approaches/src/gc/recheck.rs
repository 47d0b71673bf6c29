// SPDX-License-Identifier: MIT OR Apache-2.0
//! Look once more, from user space, before the delete.

use model::dsl::{Op, Outcome, Step, Then};

use super::{DELETE, FREE, READ_CLOCK, SNAPSHOT, Strategy};
use crate::{Family, Objection};

const LOOK_UP: Step = Step::new("look_up", "htab_map_lookup_elem", Op::Copy)
    .on(&[(Outcome::Live, Then::End), (Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "recheck",
    about: "looks up again, compares, deletes (Cilium's and AWS's mitigation)",
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP, DELETE, FREE],
    grace: true,
    family: Family::Today,
    answers: &[Objection::Nothing],
    never_with: "Never with entries that somebody refreshes meanwhile: it deletes by key.",
    ..Strategy::PLAIN
};
