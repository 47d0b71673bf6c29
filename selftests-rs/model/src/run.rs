// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a step does to a state.

use crate::dsl::{Op, Outcome, Step};
use crate::map::{Key, NONE, OF_B, Owner, Place, SEAL, TIMEOUT, Write};
use crate::program::Target;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::state::{ROLES, Role, State};

impl Rules {
    /// Takes the next step of `actor`; nothing if there is no such choice.
    pub fn step(&self, state: &mut State, actor: usize, choice: u8) -> Option<Seen> {
        let at = state.actors[actor].at;
        let step = *self.program(actor).step(at);
        let (outcome, seen) = self.act(state, actor, &step, choice)?;
        if step.reports == Some(outcome) {
            state.claims += 1;
        }
        let decides = matches!(step.op, Op::LookUp | Op::LockedStore | Op::Find);
        let target = match self.program(actor).after(at, outcome) {
            Target::Syn(_) if choice == 0 => Target::Drop,
            Target::Syn(to) => Target::At(to),
            _ if choice != 0 && decides => return None,
            other => other,
        };
        self.go(state, actor, target);
        self.let_grace_pass(state);
        state.forget();
        Some(seen)
    }

    fn go(&self, state: &mut State, actor: usize, mut target: Target) {
        let me = &mut state.actors[actor];
        while let Target::At(at) = target
            && self.program(actor).step(at).op == Op::Free
            && me.holds == NONE
        {
            target = self.program(actor).passing_over(at);
        }
        match target {
            Target::At(at) | Target::Syn(at) => me.at = at,
            Target::End => {
                if ROLES[actor] == Role::Packet && me.believes != NONE {
                    let known = if state.believed == NONE { 0 } else { state.believed };
                    state.believed = known.max(me.believes);
                }
                me.end(ROLES[actor]);
            }
            Target::Drop => me.end(ROLES[actor]),
        }
    }

    /// A packet that has ended and left nothing in its CPU's store buffer is nobody's to wait for: a grace period implies a
    /// full barrier on each CPU.
    pub fn let_grace_pass(&self, state: &mut State) {
        for packet in 0..2 {
            if !state.actors[packet].running() && state.map.drained(self.cpu(packet)) {
                for gc in 2..4 {
                    state.actors[gc].waits_for &= !(1 << packet);
                }
            }
        }
    }

    fn act(&self, state: &mut State, actor: usize, step: &Step, choice: u8) -> Option<(Outcome, Seen)> {
        use Outcome::{Dead, Differs, Done, Exists, Expired, Live, Lost, Missing, Other, Same, Sealed};
        let cpu = self.cpu(actor);
        let me = state.actors[actor];
        let fresh = me.clock.saturating_add(TIMEOUT);
        let judged = |lifetime: u8| if lifetime < me.clock { Expired } else { Live };
        let map = &mut state.map;
        let linked = map.link[Key::A as usize];
        let pointed = me.pointer;
        Some(match step.op {
            Op::ReadClock => {
                state.actors[actor].clock = state.clock;
                (Done, Seen::Clock(state.clock))
            }
            Op::Grace => {
                for packet in 0..2usize {
                    if state.actors[packet].running() || !map.drained(self.cpu(packet)) {
                        state.actors[actor].waits_for |= 1 << packet;
                    }
                }
                (Done, Seen::Waits)
            }
            Op::GraceEnd => (Done, Seen::Waited),
            Op::Snapshot | Op::Copy | Op::TakeCopy | Op::Find => {
                let found = if step.op == Op::Copy { map.find(cpu) } else { linked };
                if found == NONE {
                    return Some((Missing, Seen::Nothing));
                }
                let element = *map.element(found);
                let lifetime = map.lifetime(cpu, found);
                let me = &mut state.actors[actor];
                me.copy = lifetime;
                if step.op == Op::Find {
                    me.pointer = found;
                    me.generation = element.generation;
                }
                if step.op == Op::TakeCopy {
                    map.bucket = index(actor);
                    return Some((
                        Done,
                        Seen::Copied { element: found, lifetime, live: judged(lifetime) == Live },
                    ));
                }
                (judged(lifetime), Seen::Copied { element: found, lifetime, live: judged(lifetime) == Live })
            }
            Op::LookUp => match map.find(cpu) {
                NONE => (Missing, Seen::Nothing),
                element => {
                    state.actors[actor].pointer = element;
                    (Done, Seen::Found { element, lifetime: map.lifetime(cpu, element) })
                }
            },
            Op::LookUpAgain => match map.find(cpu) {
                found if found == pointed => (Same, Seen::FoundAgain { element: found }),
                NONE => (Other, Seen::Nothing),
                found => (Other, Seen::Found { element: found, lifetime: map.lifetime(cpu, found) }),
            },
            Op::JudgeTagged | Op::JudgeHalf if map.lifetime(cpu, pointed) == OF_B => {
                (Other, Seen::Foreign { element: pointed })
            }
            Op::Judge | Op::JudgeTagged => {
                let lifetime = map.lifetime(cpu, pointed);
                let live = judged(lifetime) == Live;
                (judged(lifetime), Seen::Read { element: pointed, lifetime, live, owner: map.owner(pointed) })
            }
            Op::JudgeHalf => {
                let lifetime = map.lifetime(cpu, pointed);
                let live = lifetime > me.clock.saturating_add(TIMEOUT / 2);
                if live {
                    state.actors[actor].believes = lifetime;
                }
                let seen = Seen::Read { element: pointed, lifetime, live, owner: map.owner(pointed) };
                (if live { Live } else { Expired }, seen)
            }
            Op::Store => {
                let owner = map.owner(pointed);
                map.write(cpu, Write::Lifetime { element: pointed, lifetime: fresh }, self.tso);
                state.actors[actor].believes = fresh;
                (Done, Seen::Wrote { element: pointed, lifetime: fresh, owner, buffered: self.tso })
            }
            Op::LockedStore if map.element(pointed).dead => (Dead, Seen::Dead { element: pointed }),
            Op::LockedStore | Op::Exchange => {
                let owner = map.owner(pointed);
                let old = map.element(pointed).lifetime;
                map.refresh(pointed, fresh);
                state.actors[actor].believes = fresh;
                let sealed = step.op == Op::Exchange && old == SEAL;
                if sealed {
                    (Sealed, Seen::Seal { element: pointed, lifetime: fresh })
                } else {
                    (Done, Seen::Wrote { element: pointed, lifetime: fresh, owner, buffered: false })
                }
            }
            Op::LockedMark => {
                let element = *map.element(pointed);
                let owner = map.owner(pointed);
                if element.dead {
                    (Dead, Seen::Dead { element: pointed })
                } else if judged(element.lifetime) == Live {
                    (Live, Seen::Read { element: pointed, lifetime: element.lifetime, live: true, owner })
                } else {
                    map.touch(pointed);
                    map.element_mut(pointed).dead = true;
                    (Done, Seen::Marked { element: pointed, lifetime: element.lifetime, owner })
                }
            }
            Op::CreateNew | Op::Restore | Op::CasCreate if linked != NONE => {
                if choice != 0 {
                    return None;
                }
                (Exists, Seen::Exists { element: linked })
            }
            Op::Replace | Op::Create | Op::CreateNew | Op::Restore | Op::CasCreate => {
                let lifetime = if step.op == Op::Restore { me.copy } else { fresh };
                let (new, old) = self.update(state, actor, choice, lifetime)?;
                if step.op == Op::Restore {
                    state.map.element_mut(new).restored = true;
                    state.claims += 1;
                } else {
                    state.actors[actor].believes = fresh;
                    state.map.last_written = fresh;
                    // The datapath itself has made the entry that was missed.
                    state.missed &= old != NONE;
                }
                (Done, Seen::Updated { element: new, old, lifetime })
            }
            Op::Delete | Op::Unlink => {
                if linked == NONE {
                    return Some((Missing, Seen::Nothing));
                }
                let lifetime = map.element(linked).lifetime;
                map.write(cpu, Write::Link { element: NONE }, self.tso);
                if step.op == Op::Unlink || self.tso {
                    map.bucket = index(actor);
                    map.write(cpu, Write::Unlock, self.tso);
                }
                state.actors[actor].holds = linked;
                state.claims -= 1;
                (Done, Seen::Unlinked { element: linked, lifetime })
            }
            Op::Compare | Op::CompareAndSeal => {
                if linked == NONE {
                    return Some((Missing, Seen::Nothing));
                }
                let lifetime = map.element(linked).lifetime;
                if lifetime != me.copy {
                    return Some((Differs, Seen::Differs { element: linked, lifetime, copy: me.copy }));
                }
                map.bucket = index(actor);
                if step.op == Op::CompareAndSeal {
                    map.element_mut(linked).lifetime = SEAL;
                }
                (Done, Seen::Equal { element: linked, lifetime, sealed: step.op == Op::CompareAndSeal })
            }
            Op::Free => {
                map.element_mut(me.holds).place = Place::Free;
                state.actors[actor].holds = NONE;
                (judged(me.copy), Seen::Freed { element: me.holds })
            }
            Op::CasRefresh | Op::CasRemove => {
                let element = *map.element(pointed);
                let same = element.place == Place::Linked
                    && element.lifetime == me.copy
                    && element.generation == me.generation;
                let owner = map.owner(pointed);
                if !same {
                    (Lost, Seen::Lost { element: pointed })
                } else if step.op == Op::CasRefresh {
                    map.refresh(pointed, fresh);
                    state.actors[actor].believes = fresh;
                    (Done, Seen::Wrote { element: pointed, lifetime: fresh, owner, buffered: false })
                } else {
                    map.touch(pointed);
                    map.link[if owner == Owner::B { Key::B } else { Key::A } as usize] = NONE;
                    map.element_mut(pointed).place = Place::Free;
                    state.claims -= 1;
                    (Done, Seen::Unlinked { element: pointed, lifetime: element.lifetime })
                }
            }
        })
    }
}

/// An actor's index as the map keeps it.
pub(crate) fn index(actor: usize) -> u8 {
    u8::try_from(actor).unwrap_or(NONE)
}
