// SPDX-License-Identifier: MIT OR Apache-2.0
//! `replace`, and a second look at what the copy was made from: the same element, and a tag that is this flow's.

use super::{CHECK, COPY_VALUE, CREATE, Discipline, FREE, LOOK_UP, READ_CLOCK, REPLACE};
use model::dsl::Then;

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "replace-checked",
    about: "replace, once a second look-up and the copied tag have shown that the copy is this flow's",
    steps: &[READ_CLOCK, LOOK_UP, COPY_VALUE, CHECK, REPLACE.then(Then::Go("free")), CREATE, FREE],
    tagged: true,
    gives_up: &["LRU maps on CPUs that reorder stores, such as arm64: there the kernel hands an element on without a barrier", "a map update and a second look-up for each packet", "32 bits of the value for a tag"],
    never_with: "Never with a delete that does not compare.",
    ..Discipline::PLAIN
};
