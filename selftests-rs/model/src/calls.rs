// SPDX-License-Identifier: MIT OR Apache-2.0
//! Of schedules that come to the same, the one that is easiest to replay: nobody can be held within a kernel call or a locked
//! section, so that its steps should follow each other wherever that is as wrong.

use results::races::Violation;

use crate::dsl::Op;
use crate::machine::{Action, Machine};
use crate::state::State;

/// Moves the steps of each call together, as far as the way still leads to `violation`.
pub(crate) fn join(machine: &Machine, beginning: &State, actions: &mut Vec<Action>, violation: Violation) {
    let mut at = 0;
    while at < actions.len() {
        if let Some(before) = torn(machine, beginning, actions, at) {
            // The beginning of the call comes later, or else its end comes earlier.
            let mut later = actions.clone();
            let first = later.remove(before);
            later.insert(at - 1, first);
            let mut earlier = actions.clone();
            let last = earlier.remove(at);
            earlier.insert(before + 1, last);
            if let Some(better) =
                [later, earlier].into_iter().find(|way| leads(machine, beginning, way, violation))
            {
                *actions = better;
            }
        }
        at += 1;
    }
}

/// Where the step before is, of the same actor, if the one at `at` goes on with a call and others come in between.
fn torn(machine: &Machine, beginning: &State, actions: &[Action], at: usize) -> Option<usize> {
    let Action::Step(actor, _) = actions[at] else { return None };
    let mut state = beginning.clone();
    for &action in &actions[..at] {
        state = machine.take(&state, action)?.0;
    }
    let me = &state.actors[actor];
    let step = machine.rules.program(actor).step(me.at);
    let inside = me.phase != 0 || (!step.gate && step.op != Op::GraceEnd);
    let before =
        actions[..at].iter().rposition(|other| matches!(other, Action::Step(who, _) if *who == actor))?;
    (inside && before + 1 < at).then_some(before)
}

/// Whether that way can be gone, and ends where that is wrong.
fn leads(machine: &Machine, beginning: &State, actions: &[Action], violation: Violation) -> bool {
    let mut state = beginning.clone();
    for &action in actions {
        match allowed(machine, &state, action).then(|| machine.take(&state, action)) {
            Some(Some((next, _))) => state = next,
            _ => return false,
        }
    }
    machine.violated(&state, violation)
}

fn allowed(machine: &Machine, state: &State, action: Action) -> bool {
    let mut actions = Vec::new();
    machine.actions(state, &mut actions);
    actions.contains(&action)
}
