// SPDX-License-Identifier: MIT OR Apache-2.0
//! Updates: which element a new value gets, and what becomes of the one that it replaces.

use crate::map::{Element, Key, NONE, OF_B, Place, Recycling, Write};
use crate::rules::Rules;
use crate::run::index;
use crate::seen::Seen;
use crate::state::{ROLES, Role, State};

impl Rules {
    /// A new element for A takes the place of the old one, if there is one: new, old.
    pub(crate) fn update(
        &self,
        state: &mut State,
        actor: usize,
        choice: u8,
        lifetime: u8,
    ) -> Option<(u8, u8)> {
        let cpu = self.cpu(actor);
        let old = state.map.link[Key::A as usize];
        let parks = self.recycling == Recycling::Parked && old != NONE && ROLES[actor] == Role::Packet;
        let new = if parks {
            let spare = &mut state.map.spare[usize::from(cpu)];
            (choice == 0).then(|| std::mem::replace(spare, old))?
        } else {
            Self::allocate(state, choice)?
        };
        let slots = self.recycling == Recycling::Slots;
        let generation = state.map.element(new).generation + u8::from(slots);
        let map = &mut state.map;
        *map.element_mut(new) = Element { place: Place::Held, lifetime, generation, ..Element::default() };
        let buffered = self.tso && !slots;
        map.write(cpu, Write::Link { element: new }, buffered);
        if buffered {
            map.bucket = index(actor);
            map.write(cpu, Write::Unlock, true);
        }
        if parks {
            map.element_mut(old).place = Place::Spare;
        } else if old != NONE {
            state.actors[actor].holds = old;
        }
        Some((new, old))
    }

    fn allocate(state: &State, choice: u8) -> Option<u8> {
        let State { map, actors, .. } = state;
        map.allocate(choice, |element| State::points_to(actors, &map.buffers, element))
    }

    /// The third flow's first packet: an element for B.
    pub fn insert(&self, state: &mut State, choice: u8) -> Option<Seen> {
        let new = Self::allocate(state, choice)?;
        let generation = state.map.element(new).generation + u8::from(self.recycling == Recycling::Slots);
        let element = Element { place: Place::Linked, lifetime: OF_B, generation, ..Element::default() };
        *state.map.element_mut(new) = element;
        state.map.link[Key::B as usize] = new;
        state.other = 1;
        state.forget();
        Some(Seen::Inserted { element: new })
    }

    /// The third flow's next packet replaces its element on a CPU that packets of A run on, and so takes its spare.
    pub fn update_other(&self, state: &mut State, cpu: u8) -> Option<Seen> {
        let map = &mut state.map;
        let old = map.link[Key::B as usize];
        let new = std::mem::replace(&mut map.spare[usize::from(cpu)], old);
        let element = Element { place: Place::Linked, lifetime: OF_B, ..Element::default() };
        *map.element_mut(new) = element;
        map.element_mut(old).place = Place::Spare;
        map.link[Key::B as usize] = new;
        state.other = 2;
        state.forget();
        Some(Seen::Inserted { element: new })
    }
}
