// SPDX-License-Identifier: MIT OR Apache-2.0
//! `replace`, if the entry still is what was copied: a compare-and-update whose window is all that the new value is made of. That
//! the copy was torn, or another flow's, or that the entry has been another in between, makes no difference then: if the bytes are
//! equal, it is this flow's value that is replaced by its own next one.

use model::dsl::{Op, Outcome, Step, Then};

use super::{AGAIN, COPY_VALUE, CREATE_NEW, Discipline, FREE, LOOK_UP, MISSED, READ_CLOCK};

/// The first half of the critical section of `__htab_map_update_elem` as the series has it.
const COMPARE: Step = Step::new("compare", "htab_map_compare_and_update_elem", Op::CompareValue)
    .on(&[(Outcome::Differs, AGAIN), (Outcome::Missing, AGAIN)]);
/// The second half.
const REPLACE: Step =
    Step::new("replace", "htab_map_compare_and_update_elem", Op::Replace).same_call().then(Then::Go("free"));
const CREATE: Step = CREATE_NEW.on(&[(Outcome::Exists, AGAIN)]);

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "replace-compared",
    about: "look-up, copy, bpf_map_compare_and_update_elem over all that was copied; if it differs, again",
    steps: &[READ_CLOCK, LOOK_UP, COPY_VALUE, COMPARE, REPLACE, CREATE, FREE],
    series: Some("kfunc"),
    since: (7, 3),
    gives_up: &[
        "kernels without the series",
        "a map update for each packet, and another try where the entry has changed since it was copied",
        "values of which more than 64 bytes are carried on, unless they have a revision that is never used again",
        MISSED,
    ],
    never_with: "Never with a delete that does not compare, nor with a store in place through a pointer: it may come after the comparison.",
    ..Discipline::PLAIN
};
