// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole new value for each packet: what Cilium's reopen path ends in.

use super::{CREATE, Discipline, FREE, LOOK_UP, READ_CLOCK, REPLACE};
use model::dsl::Then;

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "replace",
    about: "look-up, then bpf_map_update_elem with a whole new value",
    steps: &[READ_CLOCK, LOOK_UP, REPLACE.then(Then::Go("free")), CREATE, FREE],
    ..Discipline::PLAIN
};
