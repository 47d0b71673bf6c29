// SPDX-License-Identifier: MIT OR Apache-2.0
//! Steps that write through a pointer, whosever the element is by then.

use crate::dsl::{Op, Outcome};
use crate::element::{Key, Lock, Owner, Place};
use crate::map::Write;
use crate::rules::{Rules, actor_id};
use crate::run::{Acted, whole};
use crate::seen::Seen;
use crate::state::State;

impl Rules {
    pub(crate) fn write_through(&self, state: &mut State, actor: usize, op: Op) -> Acted {
        match op {
            Op::Store => {
                let me = state.actors[actor];
                let lifetime = self.fresh(me.clock);
                let owner = state.map.owner(me.pointer);
                let write = Write::Lifetime { element: me.pointer, lifetime };
                state.map.write(self.cpu(actor), write, self.tso);
                state.count_on(actor, lifetime);
                let seen = Seen::Wrote { element: me.pointer, lifetime, owner, buffered: self.tso };
                whole(Outcome::Done, seen)
            }
            Op::Exchange => self.refresh(state, actor),
            Op::LockedStore | Op::LockedStoreTagged | Op::LockedMark | Op::LockedUnmark => {
                self.locked(state, actor, op)
            }
            _ => self.cas(state, actor, op),
        }
    }

    fn refresh(&self, state: &mut State, actor: usize) -> Acted {
        let me = state.actors[actor];
        let lifetime = self.fresh(me.clock);
        let owner = state.map.owner(me.pointer);
        state.map.refresh(me.pointer, lifetime);
        state.count_on(actor, lifetime);
        whole(Outcome::Done, Seen::Wrote { element: me.pointer, lifetime, owner, buffered: false })
    }

    /// A section under the element's lock: a look, then a write. One action, unless somebody fills elements without it.
    fn locked(&self, state: &mut State, actor: usize, op: Op) -> Acted {
        let me = state.actors[actor];
        let element = *state.map.element(me.pointer);
        if me.phase == 0 {
            let tagged = op != Op::LockedStore;
            let foreign = tagged && !self.is_of(&element, me.key);
            if op == Op::LockedUnmark {
                if foreign || !element.dead {
                    return whole(Outcome::Lost, Seen::NoMark { element: me.pointer });
                }
            } else if element.dead {
                return whole(Outcome::Dead, Seen::Dead { element: me.pointer });
            } else if foreign {
                return whole(Outcome::Other, Seen::Foreign { element: me.pointer });
            } else if op == Op::LockedMark && element.lifetime >= me.clock {
                let owner = state.map.owner(me.pointer);
                let lifetime = element.lifetime;
                return whole(Outcome::Live, Seen::Read { element: me.pointer, lifetime, live: true, owner });
            }
            if self.splits() {
                state.map.element_mut(me.pointer).lock = Lock::Held(actor_id(actor));
                let owner = state.map.owner(me.pointer);
                return Some((None, Seen::Locked { element: me.pointer, owner }));
            }
        }
        state.map.element_mut(me.pointer).lock = Lock::Open;
        match op {
            Op::LockedMark => Self::mark(state, actor),
            Op::LockedUnmark => {
                state.map.element_mut(me.pointer).dead = false;
                whole(Outcome::Done, Seen::Unmarked { element: me.pointer })
            }
            _ => self.refresh(state, actor),
        }
    }

    fn mark(state: &mut State, actor: usize) -> Acted {
        let me = state.actors[actor];
        let owner = state.map.owner(me.pointer);
        let lifetime = state.map.element(me.pointer).lifetime;
        if me.key == Key::A {
            state.map.touch(me.pointer);
        }
        state.map.element_mut(me.pointer).dead = true;
        whole(Outcome::Done, Seen::Marked { element: me.pointer, lifetime, owner })
    }

    fn cas(&self, state: &mut State, actor: usize, op: Op) -> Acted {
        let me = state.actors[actor];
        let element = *state.map.element(me.pointer);
        let same = element.lifetime == me.copy
            && match op {
                Op::CasRefresh | Op::CasRemove => {
                    element.place == Place::Linked && element.generation == me.generation
                }
                _ => element.dead == (op == Op::CasUnmark) && self.is_of(&element, me.key),
            };
        if !same {
            return whole(Outcome::Lost, Seen::Lost { element: me.pointer });
        }
        match op {
            Op::CasMark => Self::mark(state, actor),
            Op::CasUnmark => {
                state.map.element_mut(me.pointer).dead = false;
                whole(Outcome::Done, Seen::Unmarked { element: me.pointer })
            }
            Op::CasRemove => {
                let owner = state.map.owner(me.pointer);
                state.map.touch(me.pointer);
                state.map.link[if owner == Owner::B { Key::B } else { Key::A } as usize] = crate::map::NONE;
                state.map.element_mut(me.pointer).place = Place::Free;
                state.claims -= 1;
                state.lost |= owner == Owner::B && element.lifetime >= state.clock;
                whole(
                    Outcome::Done,
                    Seen::Unlinked { element: me.pointer, lifetime: element.lifetime, key: Key::A },
                )
            }
            _ => {
                // The tag is written with the lifetime.
                state.map.element_mut(me.pointer).tag = me.key;
                self.refresh(state, actor)
            }
        }
    }
}
