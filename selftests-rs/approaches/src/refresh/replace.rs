// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole new value for each packet: what Cilium's reopen path ends in. What an entry carries beside its lifetime has to be copied
//! first.

use model::dsl::Then;

use super::{COPY_VALUE, CREATE, FREE, LOOK_UP, MISSED, READ_CLOCK, REPLACE, Discipline};

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "replace",
    about: "look-up, copy of the value, then bpf_map_update_elem with a new lifetime",
    steps: &[READ_CLOCK, LOOK_UP, COPY_VALUE, REPLACE.then(Then::Go("free")), CREATE, FREE],
    gives_up: &["a map update for each packet", MISSED],
    never_with: "Never with a delete that does not compare, nor with entries that carry state: the copy may be another flow's.",
    ..Discipline::PLAIN
};
