// SPDX-License-Identifier: MIT OR Apache-2.0
//! A path through the states as a schedule for people and for the replay.

use results::races;

use crate::dsl::Op;
use crate::explore::{Action, Machine};
use crate::rules::Rules;
use crate::seen::Seen;
use crate::state::{Role, State};

/// The actor of a schedule's first line, which says how things are at the beginning.
pub const START: &str = "start";

/// The steps of a path, after a first line on the state that it begins in.
pub(crate) fn write(rules: &Rules, machine: &Machine, path: &[(State, Option<Action>)]) -> Vec<races::Step> {
    let syns = [0, 1].map(|packet| path.iter().any(|(state, action)| creates(rules, state, *action, packet)));
    let start = path.first().map(|(state, _)| {
        let (clock, lifetime) = (state.clock, state.map.element(0).lifetime);
        step(START, START, "", format!("A is in element 0, lifetime {lifetime}; the clock says {clock}"))
    });
    let steps = path.iter().filter_map(|(state, action)| {
        let action = (*action)?;
        let (_, seen) = machine.take(state, action)?;
        Some(line(rules, state, action, seen, syns))
    });
    start.into_iter().chain(steps).collect()
}

/// Whether that step has a packet make an entry, and so tells it for a SYN.
fn creates(rules: &Rules, state: &State, action: Option<Action>, packet: usize) -> bool {
    let Some(Action::Step(actor, _)) = action else { return false };
    let op = rules.program(actor).step(state.actors[actor].at).op;
    actor == packet && matches!(op, Op::Create | Op::CreateNew | Op::CasCreate)
}

fn line(rules: &Rules, state: &State, action: Action, seen: Seen, syns: [bool; 2]) -> races::Step {
    match action {
        Action::Step(actor, _) => {
            let at = state.actors[actor].at;
            let done = rules.program(actor).step(at);
            let words = seen.words(Some(done.op));
            let text = match rules.role(actor) {
                Role::Packet if at == 0 => {
                    format!("{} of A: {words}", if syns[actor] { "a SYN" } else { "a data packet" })
                }
                Role::Packet if seen == Seen::Nothing && done.op != Op::LookUpAgain => {
                    format!("{words}: {}", if syns[actor] { "makes it" } else { "dropped" })
                }
                _ => words,
            };
            step(rules.name(actor), done.label, done.function, text)
        }
        Action::Drain(cpu) => {
            // Packets one after the other share a CPU; the schedule names the first.
            let actor = (0..4).find(|&actor| rules.cpu(actor) == cpu).unwrap_or_default();
            step(rules.name(actor), "drain", "the CPU's store buffer", seen.words(None))
        }
        Action::Tick => step("tick", "tick", "the clock", "the clock says 2".to_owned()),
        Action::Miss => step("next", "look_up", "__htab_map_lookup_elem", seen.words(None)),
        Action::Insert(_) => step("other", "insert", "htab_map_update_elem", seen.words(None)),
        Action::Update(cpu) => {
            let text = format!("on CPU {cpu}, {}", seen.words(None));
            step("other", "update", "htab_map_update_elem", text)
        }
    }
}

fn step(actor: &str, label: &str, function: &str, text: String) -> races::Step {
    races::Step { actor: actor.to_owned(), label: label.to_owned(), function: function.to_owned(), text }
}
