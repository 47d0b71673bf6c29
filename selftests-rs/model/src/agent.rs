// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whoever works on the map beside datapath and collector and follows no protocol.

use results::races::Circumstance;

use crate::dsl::{Op, Outcome, Step, Then};

const READ_CLOCK: Step = Step::new("read_clock", "clock_gettime", Op::ReadClock);
const MISSING: &[(Outcome, Then)] = &[(Outcome::Missing, Then::End)];

/// It renews the entry: what it wrote back with the lifetime that it has read would undo a refresh in between under every
/// protocol, with or without a collector.
const UPDATES: &[Step] = &[
    READ_CLOCK,
    Step::new("look_up", "htab_map_lookup_elem", Op::CopyAll).on(MISSING),
    Step::new("update", "htab_map_update_elem", Op::Replace),
    Step::new("free", "free_htab_elem", Op::Free).same_call(),
];

const STORES: &[Step] = &[
    Step::new("read_clock", "program: read the clock", Op::ReadClock),
    Step::new("look_up", "__htab_map_lookup_elem", Op::LookUp).on(MISSING),
    Step::new("store", "program: store lifetime", Op::Store),
];

const DELETES: &[Step] = &[
    READ_CLOCK,
    Step::new("look_up", "htab_map_lookup_elem", Op::Copy)
        .on(&[(Outcome::Live, Then::End), (Outcome::Missing, Then::End)]),
    Step::new("delete", "htab_map_delete_elem", Op::Delete).on(MISSING),
    Step::new("free", "free_htab_elem", Op::Free).same_call(),
];

/// What it does, where somebody takes part in that circumstance.
pub(crate) fn steps(circumstance: Circumstance) -> Option<&'static [Step]> {
    match circumstance {
        Circumstance::AgentUpdates => Some(UPDATES),
        Circumstance::AgentStores => Some(STORES),
        Circumstance::HandDeletes => Some(DELETES),
        Circumstance::Spread | Circumstance::Collision | Circumstance::TwoCollectors => None,
    }
}
