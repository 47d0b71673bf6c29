// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two maps that take turns: a flow that is in the current one has nothing to do; one that is in the previous one is copied over.

use model::dsl::{Op, Outcome, Step, Then};

use crate::Protocol;

use super::{Discipline, READ_CLOCK};

const READ_CURRENT: Step = Step::new("read_current", "array_of_map_lookup_elem", Op::ReadCurrent);
const LOOK_UP_CURRENT: Step = Step::new("look_up_current", "__htab_map_lookup_elem", Op::LookUpCurrent)
    .on(&[(Outcome::Done, Then::End)]);
const READ_PREVIOUS: Step = Step::new("read_previous", "array_of_map_lookup_elem", Op::ReadPrevious);
const LOOK_UP_PREVIOUS: Step = Step::new("look_up_previous", "__htab_map_lookup_elem", Op::LookUpPrevious)
    .on(&[(Outcome::Missing, Then::Syn("create_current"))]);
// BPF_NOEXIST: whoever was first has put in the same.
const COPY_OVER: Step = Step::new("copy_over", "htab_map_update_elem", Op::PutCurrent).then(Then::End);
const CREATE_CURRENT: Step = Step::new("create_current", "htab_map_update_elem", Op::PutCurrent);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "generation",
    about: "hit in the current map: nothing; hit in the previous one: copied over with BPF_NOEXIST",
    steps: &[
        READ_CLOCK,
        READ_CURRENT,
        LOOK_UP_CURRENT,
        READ_PREVIOUS,
        LOOK_UP_PREVIOUS,
        COPY_OVER,
        CREATE_CURRENT,
    ],
    protocol: Protocol::Generations,
    gives_up: &[
        "lifetimes of a flow's own: all are exact to one period",
        "counters across a swap, unless they are added up",
        "memory for two maps, each with room for all flows at once: a full one takes no flow over, and that flow is lost",
    ],
    never_with: "Never with a second swapper, nor with a packet that is held up for a whole period, nor, on a map that evicts, with flows on two CPUs.",
    ..Discipline::PLAIN
};
