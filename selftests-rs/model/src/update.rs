// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that change what the map holds: which element a new value gets, and what becomes of the one that is unlinked.

use crate::dsl::{Op, Outcome};
use crate::element::{Element, Key, Place};
use crate::map::{NONE, Recycling, Write};
use crate::rules::{Rules, actor_id};
use crate::run::{Acted, whole};
use crate::seen::Seen;
use crate::state::{Role, State, bit};

impl Rules {
    pub(crate) fn change(&self, state: &mut State, actor: usize, op: Op, choice: u8) -> Acted {
        let me = state.actors[actor];
        let linked = state.map.linked(Key::A);
        match op {
            Op::Replace | Op::Create
                if self.recycling == Recycling::AfterGrace && (me.phase != 0 || linked != NONE) =>
            {
                if choice != 0 {
                    return None;
                }
                self.update_in_place(state, actor, op)
            }
            Op::CreateNew | Op::CreateLocked | Op::Restore | Op::CasCreate if linked != NONE => {
                if choice != 0 {
                    return None;
                }
                whole(Outcome::Exists, Seen::Exists { element: linked })
            }
            Op::Replace | Op::Create | Op::CreateNew | Op::CreateLocked | Op::Restore | Op::CasCreate => {
                let value = self.value(state, actor, op);
                let (new, old) = self.update(state, actor, choice, value)?;
                if op == Op::Restore {
                    state.claims += 1;
                } else {
                    state.actors[actor].believes = value.lifetime;
                    state.map.last_written = value.lifetime;
                    // The datapath itself has made the entry that was missed.
                    state.lost |= state.missed && old == NONE && op != Op::Replace;
                    state.missed &= old != NONE;
                }
                let seen =
                    Seen::Updated { element: new, old, lifetime: value.lifetime, backend: value.backend };
                whole(Outcome::Done, seen)
            }
            Op::Delete => self.delete(state, actor, choice),
            Op::Compare | Op::CompareValue => {
                if linked == NONE {
                    return whole(Outcome::Missing, Seen::Nothing(Key::A));
                }
                let Element { lifetime, backend, dead, .. } = *state.map.element(linked);
                if op == Op::CompareValue && (backend, dead) != (me.backend, me.dead) {
                    return whole(Outcome::Differs, Seen::OtherState { element: linked });
                }
                if lifetime != me.copy {
                    return whole(
                        Outcome::Differs,
                        Seen::Differs { element: linked, lifetime, copy: me.copy },
                    );
                }
                state.map.bucket = actor_id(actor);
                whole(Outcome::Done, Seen::Equal { element: linked, lifetime })
            }
            Op::TakeCopy => {
                if linked == NONE {
                    return whole(Outcome::Missing, Seen::Nothing(Key::A));
                }
                if self.recycling == Recycling::AfterGrace {
                    return self.unlink(state, actor);
                }
                state.map.bucket = actor_id(actor);
                whole(Outcome::Done, Self::take_copy(state, actor, linked))
            }
            Op::Unlink if me.holds != NONE => whole(Outcome::Done, Self::take_copy(state, actor, me.holds)),
            Op::Unlink if linked == NONE => whole(Outcome::Missing, Seen::Nothing(Key::A)),
            Op::Unlink => self.unlink(state, actor),
            _ => {
                // Who looks from now on cannot find it, so the grace period that begins here is long enough.
                self.wait_for_readers(state, me.holds);
                let freed = state.map.element_mut(me.holds);
                freed.place = if freed.waits == 0 { Place::Free } else { Place::Waiting };
                state.actors[actor].holds = NONE;
                let over = if me.copy < me.clock { Outcome::Expired } else { Outcome::Live };
                whole(over, Seen::Freed { element: me.holds, waits: freed.waits != 0 })
            }
        }
    }

    fn take_copy(state: &mut State, actor: usize, element: u8) -> Seen {
        let value = *state.map.element(element);
        let me = &mut state.actors[actor];
        (me.copy, me.backend, me.tag) = (value.lifetime, value.backend, value.tag);
        Seen::Copied { element, lifetime: value.lifetime, live: value.lifetime >= me.clock }
    }

    /// What a call would write.
    fn value(&self, state: &State, actor: usize, op: Op) -> Element {
        let me = &state.actors[actor];
        let fresh = Element { place: Place::Held, lifetime: self.fresh(me.clock), ..Element::default() };
        match (op, self.role(actor)) {
            (Op::Restore, _) => {
                Element { lifetime: me.copy, tag: me.tag, backend: me.backend, restored: true, ..fresh }
            }
            (Op::Replace, Role::Agent) => {
                Element { tag: me.tag, backend: me.backend, dead: me.dead, ..fresh }
            }
            // Word and flags, and so any mark, are the packet's own; the state beside them is copied.
            (Op::Replace, _) => Element { backend: me.backend, ..fresh },
            _ => fresh,
        }
    }

    /// Finds the element of a key that is there, then writes into it: no lock is held.
    fn update_in_place(&self, state: &mut State, actor: usize, op: Op) -> Acted {
        let me = state.actors[actor];
        if me.phase == 0 {
            let element = state.map.linked(Key::A);
            state.actors[actor].pointer = element;
            let lifetime = state.map.element(element).lifetime;
            return Some((None, Seen::Found { element, lifetime, key: Key::A }));
        }
        let value = self.value(state, actor, op);
        let owner = state.map.owner(me.pointer);
        state.map.refresh(me.pointer, value.lifetime);
        let old = *state.map.element(me.pointer);
        *state.map.element_mut(me.pointer) = Element {
            lifetime: value.lifetime,
            tag: value.tag,
            backend: value.backend,
            dead: value.dead,
            ..old
        };
        state.actors[actor].believes = value.lifetime;
        state.map.unlock(actor_id(actor));
        whole(Outcome::Done, Seen::WroteAll { element: me.pointer, lifetime: value.lifetime, owner })
    }

    /// A new element for A takes the place of the old one, if there is one: new, old.
    fn update(&self, state: &mut State, actor: usize, choice: u8, value: Element) -> Option<(u8, u8)> {
        let cpu = self.cpu(actor);
        let old = state.map.linked(Key::A);
        let parks = self.recycling == Recycling::Parked && old != NONE && self.role(actor) == Role::Packet;
        let new = if parks {
            let spare = &mut state.map.spare[usize::from(cpu)];
            (choice == 0).then(|| std::mem::replace(spare, old))?
        } else {
            let seen = state.pointed_to();
            state.map.allocate(choice, |element| seen & bit(element) != 0)?
        };
        let slots = self.recycling == Recycling::Slots;
        let kept = *state.map.element(new);
        let map = &mut state.map;
        // The lock in an element is not written.
        *map.element_mut(new) =
            Element { generation: kept.generation + u8::from(slots), lock: kept.lock, ..value };
        let buffered = self.tso && !slots;
        map.write(cpu, Write::Link { element: new }, buffered);
        if buffered {
            map.bucket = actor_id(actor);
            map.write(cpu, Write::Unlock, true);
        } else {
            map.unlock(actor_id(actor));
        }
        state.evicted = false;
        if parks {
            state.map.element_mut(old).place = Place::Spare;
        } else if old != NONE {
            state.actors[actor].holds = old;
        }
        Some((new, old))
    }

    fn delete(&self, state: &mut State, actor: usize, choice: u8) -> Acted {
        let me = state.actors[actor];
        if choice != 0 {
            return whole(Outcome::Failed, Seen::Refused);
        }
        let linked = state.map.linked(me.key);
        if linked == NONE {
            return whole(Outcome::Missing, Seen::Nothing(me.key));
        }
        if me.key == Key::A {
            if self.tso {
                state.map.bucket = actor_id(actor);
            }
            return self.unlink(state, actor);
        }
        let lifetime = state.map.element(linked).lifetime;
        state.lost |= lifetime >= state.clock;
        state.map.link[Key::B as usize] = NONE;
        self.unlinked(state, actor, linked);
        whole(Outcome::Done, Seen::Unlinked { element: linked, lifetime, key: Key::B })
    }

    fn unlink(&self, state: &mut State, actor: usize) -> Acted {
        let cpu = self.cpu(actor);
        let linked = state.map.linked(Key::A);
        let lifetime = state.map.element(linked).lifetime;
        let locks = state.map.bucket == actor_id(actor);
        state.map.write(cpu, Write::Link { element: NONE }, self.tso);
        if locks {
            state.map.write(cpu, Write::Unlock, self.tso);
        }
        self.unlinked(state, actor, linked);
        whole(Outcome::Done, Seen::Unlinked { element: linked, lifetime, key: Key::A })
    }

    fn unlinked(&self, state: &mut State, actor: usize, element: u8) {
        state.actors[actor].holds = element;
        state.map.element_mut(element).place = Place::Held;
        if self.role(actor) == Role::Gc {
            state.claims -= 1;
        }
    }

    /// Those who may have a pointer to an element that has been unlinked.
    pub(crate) fn wait_for_readers(&self, state: &mut State, element: u8) {
        if self.recycling == Recycling::AfterGrace {
            let readers = self.readers(state);
            state.map.element_mut(element).waits = readers;
        }
    }
}
