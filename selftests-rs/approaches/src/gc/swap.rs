// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two maps that take turns: what has not been copied over for a whole period goes with its map, and no entry is looked at.

use model::dsl::{Op, Step};

use super::{READ_CLOCK, Strategy};
use crate::{Family, Objection, Protocol, Runs};

// The previous map first: a packet that reads the current one after that finds its flow in one of both.
const SWAP_PREVIOUS: Step = Step::new("swap_previous", "array_of_map_update_elem", Op::SwapPrevious);
const SWAP_CURRENT: Step = Step::new("swap_current", "array_of_map_update_elem", Op::SwapCurrent);
// An update of a map of maps from user space waits for such a period by itself.
const GRACE: Step = Step::new("grace", "synchronize_rcu", Op::Grace);
const GRACE_END: Step = Step::new("grace_end", "synchronize_rcu", Op::GraceEnd).same_call();
const DROP: Step = Step::new("drop", "htab_map_free", Op::DropPrevious);


pub(super) const STRATEGY: Strategy = Strategy {
    name: "swap",
    about: "previous := current, current := an empty map; the old one is dropped after a grace period",
    steps: &[READ_CLOCK, SWAP_PREVIOUS, SWAP_CURRENT, GRACE, GRACE_END, DROP],
    runs: Runs::Swap,
    protocol: Protocol::Generations,
    family: Family::Swap,
    answers: &[Objection::Nothing],
    gives_up: &["lifetimes of a flow's own", "memory for two maps", "a copy of each flow that lives, in every period"],
    never_with: "Never with a second swapper.",
    ..Strategy::PLAIN
};
