// SPDX-License-Identifier: MIT OR Apache-2.0
//! Steps that only look.

use crate::dsl::{Op, Outcome};
use crate::map::NONE;
use crate::rules::Rules;
use crate::run::{Acted, whole};
use crate::seen::Seen;
use crate::state::{Role, State};

impl Rules {
    pub(crate) fn look(&self, state: &mut State, actor: usize, op: Op) -> Acted {
        use Outcome::{Dead, Done, Expired, Live, Missing, Other, Same};
        let cpu = self.cpu(actor);
        let me = state.actors[actor];
        let judged = |lifetime: u8| if lifetime < me.clock { Expired } else { Live };
        let map = &state.map;
        match op {
            Op::ReadClock => {
                let packet = self.role(actor) == Role::Packet;
                let turns = self.traits.generations && packet;
                let clock = if turns { 1 + state.turns.swaps } else { state.clock };
                state.actors[actor].clock = clock;
                whole(Done, Seen::Clock(clock))
            }
            Op::Snapshot | Op::Copy | Op::CopyAll | Op::Find => {
                let under_lock = matches!(op, Op::Snapshot | Op::Find);
                let found = if under_lock { map.linked(me.key) } else { map.find(cpu, me.key) };
                if found == NONE {
                    state.actors[actor].pointer = NONE;
                    return whole(Missing, Seen::Nothing(me.key));
                }
                let element = *map.element(found);
                let lifetime = map.lifetime(cpu, found);
                let me = &mut state.actors[actor];
                me.copy = lifetime;
                match op {
                    Op::Find => {
                        me.pointer = found;
                        me.generation = element.generation;
                    }
                    Op::CopyAll => {
                        (me.tag, me.backend, me.dead) = (element.tag, element.backend, element.dead);
                        return whole(Done, Seen::CopiedAll { element: found, lifetime });
                    }
                    _ => {}
                }
                let live = judged(lifetime) == Live;
                whole(judged(lifetime), Seen::Copied { element: found, lifetime, live })
            }
            Op::LookUp | Op::Fire => {
                let found = map.find(cpu, me.key);
                let lifetime = if found == NONE { NONE } else { map.lifetime(cpu, found) };
                state.actors[actor].pointer = found;
                if op == Op::Fire {
                    state.actors[actor].clock = state.clock;
                }
                if found == NONE {
                    return whole(Missing, Seen::Nothing(me.key));
                }
                whole(Done, Seen::Found { element: found, lifetime, key: me.key })
            }
            Op::LookUpAgain | Op::LookUpChecked => {
                let found = map.find(cpu, me.key);
                let marked = self.traits.dead_in_word && me.dead;
                let own = op == Op::LookUpAgain || (!marked && (self.collision || me.tag == me.key));
                match found {
                    NONE => whole(Other, Seen::Nothing(me.key)),
                    _ if found == me.pointer && own => whole(Same, Seen::FoundAgain { element: found }),
                    _ if found == me.pointer => whole(Other, Seen::NotOurs { element: found }),
                    _ => {
                        let lifetime = map.lifetime(cpu, found);
                        whole(Other, Seen::Found { element: found, lifetime, key: me.key })
                    }
                }
            }
            Op::CopyValue => {
                let element = *map.element(me.pointer);
                let (owner, lifetime) = (map.owner(me.pointer), map.lifetime(cpu, me.pointer));
                let me = &mut state.actors[actor];
                me.copy = lifetime;
                (me.tag, me.backend, me.dead) = (element.tag, element.backend, element.dead);
                whole(Done, Seen::CopiedValue { element: me.pointer, backend: element.backend, owner })
            }
            Op::CopyKey => {
                let key = map.element(me.pointer).key;
                state.actors[actor].key = key;
                whole(Done, Seen::CopiedKey { element: me.pointer, key })
            }
            // The mark is a bit of the tag: who does not know it finds another tag.
            Op::JudgeTagged | Op::JudgeHalf | Op::ReadWord
                if self.traits.dead_in_word && map.element(me.pointer).dead =>
            {
                let outcome = if op == Op::ReadWord { Dead } else { Other };
                whole(outcome, Seen::Dead { element: me.pointer })
            }
            Op::JudgeTagged | Op::JudgeHalf | Op::ReadWord
                if !self.is_of(map.element(me.pointer), me.key) =>
            {
                whole(Other, Seen::Foreign { element: me.pointer })
            }
            Op::JudgeHalf => {
                let lifetime = map.lifetime(cpu, me.pointer);
                let live = lifetime > me.clock.saturating_add(crate::map::TIMEOUT / 2);
                let seen = Seen::Half { element: me.pointer, lifetime, live, owner: map.owner(me.pointer) };
                if live {
                    state.actors[actor].believes = lifetime;
                }
                whole(if live { Live } else { Expired }, seen)
            }
            _ => {
                let lifetime = map.lifetime(cpu, me.pointer);
                let live = judged(lifetime) == Live;
                let owner = map.owner(me.pointer);
                if op == Op::ReadWord {
                    state.actors[actor].copy = lifetime;
                }
                whole(judged(lifetime), Seen::Read { element: me.pointer, lifetime, live, owner })
            }
        }
    }
}
