// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one side does when nobody comes in between.

use results::races::{Side, Undisturbed};

use crate::Program;
use crate::dsl::Op;
use crate::machine::{Action, Machine};
use crate::map::{Recycling, TIMEOUT};
use crate::rules::Rules;
use crate::scenario::{Scenario, Steering};
use crate::schedule;
use crate::state::{ENDED, State};

/// A packet of a live flow that was refreshed within the last tick, or a gc round over one expired entry.
#[must_use]
pub fn undisturbed(program: Program, side: Side, name: &str, recycling: Recycling) -> Undisturbed {
    let rules = Rules::new(program.clone(), program, recycling);
    let scenarios = Scenario::all(Steering::Pinned);
    let mut state = State::new(0, &scenarios[0], recycling);
    let actor = match side {
        Side::Refresh => {
            state.map.element_mut(0).lifetime = state.clock + TIMEOUT;
            state.turns.holds = 1;
            0
        }
        Side::Gc => 2,
    };
    let machine = Machine::new(rules, scenarios);
    let mut path = Vec::new();
    let mut map_operations = 0;
    while state.actors[actor].at != ENDED && machine.rules.enabled(&state, actor) {
        let step = machine.rules.program(actor).step(state.actors[actor].at);
        // What goes on with a call has been counted with its first step.
        map_operations += u64::from(step.gate && is_map_operation(step.op));
        let action = Action::Step(actor, 0);
        let Some((next, _)) = machine.take(&state, action) else { break };
        path.push((std::mem::replace(&mut state, next), Some(action)));
    }
    let steps = schedule::write(&machine.rules, &machine, &path).into_iter().skip(1).collect();
    Undisturbed { side, name: name.to_owned(), map_operations, series: None, steps }
}

/// Whether a map operation begins with that step.
fn is_map_operation(op: Op) -> bool {
    let no_lock = matches!(op, Op::Copy | Op::LookUp | Op::LookUpAgain | Op::LookUpChecked);
    let in_turn = op.is_of_maps_in_turn() && op != Op::DropPrevious;
    no_lock || op == Op::Replace || op.waits_for_the_bucket() || in_turn
}
