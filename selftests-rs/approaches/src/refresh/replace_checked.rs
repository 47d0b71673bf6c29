// SPDX-License-Identifier: MIT OR Apache-2.0
//! `replace`, and a second look at what the copy was made from: the same element, and a tag that is this flow's.

use super::{CHECK, COPY_VALUE, CREATE, FREE, LOOK_UP, MISSED, READ_CLOCK, REORDERED, REPLACE, Discipline};
use model::dsl::Then;

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "replace-checked",
    about: "replace, once a second look-up and the copied tag have shown that the copy is this flow's",
    steps: &[READ_CLOCK, LOOK_UP, COPY_VALUE, CHECK, REPLACE.then(Then::Go("free")), CREATE, FREE],
    tagged: true,
    gives_up: &[REORDERED, "a map update and a second look-up for each packet", "32 bits of the value for a tag", MISSED],
    never_with: "Never with a delete that does not compare.",
    ..Discipline::PLAIN
};
