// SPDX-License-Identifier: MIT OR Apache-2.0
//! One store in place: what Cilium does for each packet.

use model::dsl::Then;

use super::{CREATE, Discipline, FREE, LOOK_UP, READ_CLOCK, STORE};

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "store",
    about: "look-up, then one aligned 32-bit store through the pointer",
    steps: &[READ_CLOCK, LOOK_UP, STORE.then(Then::End), CREATE, FREE],
    never_with: "Never with a collector on another CPU: the store goes through a pointer that a delete may have outrun.",
    ..Discipline::PLAIN
};
