// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exchange, then look again: another element, or none, means that gc won.

use model::dsl::{Op, Outcome, Step, Then};

use super::{COPY_VALUE, CREATE, Discipline, EXCHANGE, FREE, LOOK_UP, READ_CLOCK, REPLACE};

// The second look-up takes no lock, as the first.
const LOOK_UP_AGAIN: Step =
    Step::new("look_up_again", "__htab_map_lookup_elem", Op::LookUpAgain).on(&[(Outcome::Same, Then::End)]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "verify",
    about: "look-up, atomic exchange, copy, look-up again; another element or none: replace",
    ordering: true,
    steps: &[
        READ_CLOCK,
        LOOK_UP,
        EXCHANGE,
        COPY_VALUE,
        LOOK_UP_AGAIN,
        REPLACE.then(Then::Go("free")),
        CREATE,
        FREE,
    ],
    gives_up: &["an atomic exchange and a second look-up for each packet"],
    never_with: "Never with maps that hand elements on at once: the exchange goes into whatever the element is by then.",
    ..Discipline::PLAIN
};
