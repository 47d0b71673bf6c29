// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clock first. A live entry gets a plain store; one that is due a compare-and-swap of lifetime, tag and mark in one word. Entries are
//! never replaced.

use model::dsl::{Op, Outcome, Step, Then};

use crate::Protocol;

use super::{AGAIN, CAS_STORE, CREATE_NEW, Discipline, LOOK_UP, READ_CLOCK, STORE};

// One 64-bit load.
const READ_WORD: Step = Step::new("read_word", "program: read lifetime, tag and mark", Op::ReadWord).on(&[
    (Outcome::Dead, AGAIN),
    (Outcome::Other, AGAIN),
    (Outcome::Expired, Then::Go("cas_store")),
]);
const CREATE: Step = CREATE_NEW.on(&[(Outcome::Exists, AGAIN)]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "due-mark",
    about: "clock first; store while the entry is live by it, compare-and-swap once it is due; never replaces",
    ordering: true,
    steps: &[READ_CLOCK, LOOK_UP, READ_WORD, STORE.then(Then::End), CAS_STORE, CREATE],
    protocol: Protocol::Mark,
    tagged: true,
    gives_up: &[
        "64 bits of the value for lifetime, tag and mark",
        "packets between a mark and its delete, if they find the entry dead for too long",
        "lifetimes exact to better than the time between two packets of a flow on two CPUs: the older may store last",
    ],
    never_with: "Never with an update that replaces entries, nor with a FIN that shortens a lifetime, nor with a packet that is held up for a whole lifetime, nor with eviction: the delete that follows a mark is by key.",
    ..Discipline::PLAIN
};
