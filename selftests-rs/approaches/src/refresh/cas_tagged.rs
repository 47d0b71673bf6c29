// SPDX-License-Identifier: MIT OR Apache-2.0
//! One aligned word of lifetime, tag and mark, and a compare-and-swap for each packet: no lock.

use model::dsl::{Op, Outcome, Step};

use crate::Protocol;

use super::{AGAIN, CAS_STORE, CREATE_NEW, Discipline, LOOK_UP, READ_CLOCK};

// One 64-bit load.
const READ_WORD: Step = Step::new("read_word", "program: read lifetime, tag and mark", Op::ReadWord)
    .on(&[(Outcome::Dead, AGAIN), (Outcome::Other, AGAIN)]);
const CREATE: Step = CREATE_NEW.on(&[(Outcome::Exists, AGAIN)]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "cas-tagged",
    about: "compare-and-swap of lifetime, tag and mark in one word for each packet",
    steps: &[READ_CLOCK, LOOK_UP, READ_WORD, CAS_STORE, CREATE],
    protocol: Protocol::Mark,
    tagged: true,
    gives_up: &[
        "64 bits of the value for lifetime, tag and mark",
        "a compare-and-swap for each packet",
        "packets between a mark and its delete, if they find the entry dead for too long",
        "flags that are sure to be the flow's: one that closes counts as closing until its next packet alone",
    ],
    never_with: "Never with an update that replaces entries, nor with eviction: the delete that follows a mark is by key.",
    ..Discipline::PLAIN
};
