// SPDX-License-Identifier: MIT OR Apache-2.0
//! A path through the states as a schedule for people and for the replay.

use results::races;

use crate::dsl::{self, Op};
use crate::element::Key;
use crate::machine::{Action, Machine};
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
        let place = if !rules.traits.generations {
            format!("element 0, lifetime {lifetime}")
        } else if lifetime < clock {
            "map 1, the previous one; map 0 is the current one".to_owned()
        } else {
            "map 0, the current one; map 1 is the previous one".to_owned()
        };
        step(START, START, "", format!("A is in {place}; the clock says {clock}"))
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
    actor == packet && matches!(op, Op::Create | Op::CreateNew | Op::CreateLocked | Op::CasCreate)
}

fn line(rules: &Rules, state: &State, action: Action, seen: Seen, syns: [bool; 2]) -> races::Step {
    let words = seen.words();
    match action {
        Action::Step(actor, _) => {
            let me = &state.actors[actor];
            let done = rules.program(actor).step(me.at);
            let kind = |actor: usize| syns.get(actor) == Some(&true);
            let text = match rules.role(actor) {
                Role::Packet if me.at == 0 => {
                    format!("{} of A: {words}", if kind(actor) { "a SYN" } else { "a data packet" })
                }
                Role::Packet if seen == Seen::Nothing(Key::A) && Rules::decides(done.op) => {
                    format!("{words}: {}", if kind(actor) { "makes it" } else { "dropped" })
                }
                _ => words,
            };
            let inside = match done.op {
                _ if me.phase == 0 => "",
                Op::Replace | Op::Create => dsl::INSIDE[0],
                _ => dsl::INSIDE[1],
            };
            step(rules.name(actor), &format!("{}{inside}", done.label), done.function, text)
        }
        Action::Drain(cpu) => {
            // Packets one after the other share a CPU; the schedule names the first.
            let actor = (0..4).find(|&actor| rules.cpu(actor) == cpu).unwrap_or_default();
            step(rules.name(actor), "drain", "the CPU's store buffer", words)
        }
        Action::Tick => step("tick", "tick", "the clock", "the clock says 2".to_owned()),
        Action::Miss => step("next", "look_up", "__htab_map_lookup_elem", words),
        Action::Insert { .. } => step("other", "insert", "htab_map_update_elem", words),
        Action::Fill => step("other", "fill", "alloc_htab_elem", words),
        Action::Link => step("other", "link", "htab_map_update_elem", words),
        Action::Update(cpu) => {
            step("other", "update", "htab_map_update_elem", format!("on CPU {cpu}, {words}"))
        }
        Action::Remove => step("other", "remove", "htab_map_delete_elem", words),
        Action::Evict => step("lru", "evict", "htab_lru_map_delete_node", words),
    }
}

fn step(actor: &str, label: &str, function: &str, text: String) -> races::Step {
    races::Step { actor: actor.to_owned(), label: label.to_owned(), function: function.to_owned(), text }
}
