// SPDX-License-Identifier: MIT OR Apache-2.0
//! The third flow, and an LRU map that makes room for it.

use crate::element::{Key, Lock, Place};
use crate::machine::Action;
use crate::map::{NONE, Recycling, TIMEOUT};
use crate::rules::Rules;
use crate::seen::Seen;
use crate::state::{Other, State, bit};

impl Rules {
    /// What of it may happen next. An element that nobody points to tells nobody anything, so B takes none of those, unless
    /// its next update is to park it.
    pub fn other_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let free = self.recycling != Recycling::Slots && self.traits.generations;
        if free {
            return;
        }
        match state.other {
            Other::Nothing => {
                for live in [true, false] {
                    actions.extend((0..6).map(|choice| Action::Insert { choice, live }));
                }
            }
            Other::Linked => {
                let element = state.map.linked(Key::B);
                if element == NONE {
                    return;
                }
                let pointed = state.pointed_to() & bit(element) != 0;
                if pointed && state.map.element(element).lifetime < state.clock {
                    actions.push(Action::Remove);
                }
                if self.parks_others() {
                    let idle = |&cpu: &u8| self.idle(state, cpu) && state.map.drained(cpu);
                    actions.extend((0..2).filter(idle).map(Action::Update));
                }
            }
            _ => {}
        }
        let linked = state.map.linked(Key::A);
        if self.recycling == Recycling::Evicting
            && linked != NONE
            && state.map.bucket == NONE
            && !state.believes()
            && state.map.element(linked).lifetime < state.clock
        {
            actions.push(Action::Evict);
        }
    }

    /// Whether no packet of A is at work on a CPU, and none is kept from it.
    pub fn idle(&self, state: &State, cpu: u8) -> bool {
        let pinned = cpu == 0 && state.pinned != NONE;
        !pinned && (0..2).all(|packet| self.cpu(packet) != cpu || !state.actors[packet].running())
    }

    fn parks_others(&self) -> bool {
        self.spread && self.recycling == Recycling::Parked
    }

    /// B's first packet takes an element and fills key and state.
    pub fn insert(&self, state: &mut State, choice: u8, live: bool) -> Option<Seen> {
        let seen = state.pointed_to();
        let element = state.map.allocate(choice, |element| seen & bit(element) != 0)?;
        if seen & bit(element) == 0 && !(self.parks_others() && live) {
            return None;
        }
        let claims = u8::from(self.recycling == Recycling::Slots);
        let word = !self.traits.dead_in_word;
        let new = state.map.element_mut(element);
        if self.traits.locked_fill {
            (new.lock == Lock::Open).then_some(())?;
            new.lock = Lock::Fill;
        }
        new.place = Place::Held;
        new.key = Key::B;
        new.backend = Key::B;
        new.restored = false;
        new.generation += claims;
        new.dead &= !word;
        state.filling = element;
        state.other_live = live;
        state.other = Other::State;
        if claims != 0 {
            // A slot is claimed with one compare-and-swap.
            self.fill(state);
            self.link(state);
        }
        Some(Seen::Filled { element, word: false })
    }

    /// It fills the word.
    pub fn fill(&self, state: &mut State) -> Option<Seen> {
        let element = state.filling;
        let lifetime = if state.other_live { state.clock + TIMEOUT } else { 0 };
        let new = state.map.element_mut(element);
        new.lifetime = lifetime;
        new.tag = Key::B;
        new.dead &= !self.traits.dead_in_word;
        if new.lock == Lock::Fill {
            new.lock = Lock::Open;
        }
        state.other = Other::Word;
        Some(Seen::Filled { element, word: true })
    }

    /// It links the element.
    pub fn link(&self, state: &mut State) -> Option<Seen> {
        let element = state.filling;
        state.map.element_mut(element).place = Place::Linked;
        state.map.link[Key::B as usize] = element;
        state.filling = NONE;
        state.other = Other::Linked;
        let live = std::mem::take(&mut state.other_live);
        Some(Seen::Inserted { element, live })
    }

    /// The third flow's next packet replaces its element on a CPU that packets of A run on, and so takes its spare.
    pub fn update_other(&self, state: &mut State, cpu: u8) -> Option<Seen> {
        let map = &mut state.map;
        let old = map.linked(Key::B);
        let new = std::mem::replace(&mut map.spare[usize::from(cpu)], old);
        let lock = map.element(new).lock;
        let content = *map.element(old);
        *map.element_mut(new) = crate::element::Element { lock, ..content };
        map.element_mut(old).place = Place::Spare;
        map.link[Key::B as usize] = new;
        state.other = Other::Updated;
        Some(Seen::Inserted { element: new, live: true })
    }

    /// Its own collector removes its entry, which has expired.
    pub fn remove_other(&self, state: &mut State) -> Option<Seen> {
        let element = state.map.linked(Key::B);
        let marks = self.traits.marks && self.recycling != Recycling::Evicting;
        if marks && state.map.element(element).lock != Lock::Open {
            return None;
        }
        state.map.link[Key::B as usize] = NONE;
        state.map.element_mut(element).dead |= marks;
        state.other = Other::Removed;
        Some(self.free(state, element, Key::B))
    }

    /// A's element goes to the free list. Packets that are at work have nothing to count on any more: that is no collector's
    /// doing.
    pub fn evict(&self, state: &mut State) -> Option<Seen> {
        let element = state.map.linked(Key::A);
        state.evicted = true;
        state.actors[..2].iter_mut().for_each(|packet| packet.believes = NONE);
        state.map.link[Key::A as usize] = NONE;
        Some(self.free(state, element, Key::A))
    }

    fn free(&self, state: &mut State, element: u8, key: Key) -> Seen {
        self.wait_for_readers(state, element);
        let freed = state.map.element_mut(element);
        freed.place = if freed.waits == 0 { Place::Free } else { Place::Waiting };
        Seen::Unlinked { element, lifetime: freed.lifetime, key }
    }
}
