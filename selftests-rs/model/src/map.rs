// SPDX-License-Identifier: MIT OR Apache-2.0
//! A BPF hash map with one bucket for A: elements that exist whether linked or not, links from key to element, the bucket
//! lock, A's stripe, and store buffers between the CPUs and all of it.
//!
//! B has a bucket and a stripe of its own; their locks would only take interleavings away.

use crate::element::{Element, Key, Owner, Place};

/// No element, no actor, no lifetime.
pub(crate) const NONE: u8 = u8::MAX;
/// What a refresh adds to the clock. More than the clock ever advances, so that a refreshed entry is live to the end.
pub(crate) const TIMEOUT: u8 = 4;

/// Enough for A's first element, two spares, B's, two creates, a restore and an agent's update with everything old still
/// pointed to.
pub(crate) const ELEMENTS: usize = 8;

/// What becomes of an element that is unlinked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recycling {
    /// A preallocated hash: a delete gives it to the free list; an update parks it, inside its critical section, as this
    /// CPU's spare (`extra_elems`), which the next update of an existing key on this CPU takes.
    Parked,
    /// A hash without preallocation: it is free as soon as the call that unlinked it ends, whatever the call was.
    AtOnce,
    /// An LRU hash: the same. Whose free list that is makes no difference, since any CPU may be the next to take from it; but
    /// A's element may be evicted while A is expired. That alone is no lost refresh, though a packet may be about to write to it.
    Evicting,
    /// A resizable hash: it is free once everybody has ended who was reading when it was unlinked. An update of a key that is
    /// there writes in place, without a lock.
    AfterGrace,
    /// An arena: a slot is free with the swap that removes its key, and has another generation when it is claimed again.
    Slots,
}

/// A store that has not left its CPU's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Write {
    Lifetime { element: u8, lifetime: u8 },
    Link { element: u8 },
    Unlock,
}

/// The map, and what the oracle keeps of the writes to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Map {
    pub elements: [Element; ELEMENTS],
    /// The element of each key.
    pub link: [u8; 2],
    /// Who holds A's bucket.
    pub bucket: u8,
    /// Who holds A's stripe.
    pub stripe: u8,
    /// The spare element of each CPU that packets run on.
    pub spare: [u8; 2],
    /// Oldest first, with the CPU.
    pub buffers: Vec<(u8, Write)>,
    /// The lifetime that the datapath wrote last, wherever it landed.
    pub last_written: u8,
    /// A write meant for A landed in an element that was linked for B.
    pub stray: bool,
}

impl Map {
    /// A in element 0.
    pub fn new(lifetime: u8, recycling: Recycling) -> Self {
        let mut map = Self {
            elements: [Element::default(); ELEMENTS],
            link: [0, NONE],
            bucket: NONE,
            stripe: NONE,
            spare: [NONE; 2],
            buffers: Vec::new(),
            last_written: NONE,
            stray: false,
        };
        map.elements[0] = Element { place: Place::Linked, lifetime, ..Element::default() };
        if recycling == Recycling::Parked {
            map.spare = [1, 2];
            map.elements[1].place = Place::Spare;
            map.elements[2].place = Place::Spare;
        }
        map
    }

    pub fn element(&self, element: u8) -> &Element {
        &self.elements[usize::from(element)]
    }

    pub fn element_mut(&mut self, element: u8) -> &mut Element {
        &mut self.elements[usize::from(element)]
    }

    /// What is linked for a key.
    pub fn linked(&self, key: Key) -> u8 {
        self.link[key as usize]
    }

    /// What `cpu` finds under a key without a lock.
    pub fn find(&self, cpu: u8, key: Key) -> u8 {
        let own = self.buffers.iter().rev().find_map(|&(by, write)| match write {
            Write::Link { element } if by == cpu && key == Key::A => Some(element),
            _ => None,
        });
        own.unwrap_or(self.linked(key))
    }

    /// What `cpu` reads as the lifetime.
    pub fn lifetime(&self, cpu: u8, of: u8) -> u8 {
        let own = self.buffers.iter().rev().find_map(|&(by, write)| match write {
            Write::Lifetime { element, lifetime } if by == cpu && element == of => Some(lifetime),
            _ => None,
        });
        own.unwrap_or(self.element(of).lifetime)
    }

    /// Nothing of `cpu`'s waits in its buffer.
    pub fn drained(&self, cpu: u8) -> bool {
        self.buffers.iter().all(|&(by, _)| by != cpu)
    }

    pub fn owner(&self, element: u8) -> Owner {
        match element {
            _ if self.linked(Key::A) == element => Owner::A,
            _ if self.linked(Key::B) == element => Owner::B,
            _ => Owner::Nobody,
        }
    }

    /// A plain store of `cpu`'s.
    pub fn write(&mut self, cpu: u8, write: Write, buffered: bool) {
        if buffered {
            self.buffers.push((cpu, write));
        } else {
            self.land(write);
        }
    }

    /// The oldest write of `cpu`'s buffer becomes visible.
    pub fn drain(&mut self, cpu: u8) -> Option<Write> {
        let at = self.buffers.iter().position(|&(by, _)| by == cpu)?;
        let (_, write) = self.buffers.remove(at);
        self.land(write);
        Some(write)
    }

    fn land(&mut self, write: Write) {
        match write {
            Write::Lifetime { element, lifetime } => self.refresh(element, lifetime),
            Write::Link { element } => {
                let old = std::mem::replace(&mut self.link[Key::A as usize], element);
                if old != NONE && self.element(old).place == Place::Linked {
                    self.element_mut(old).place = Place::Held;
                }
                if element != NONE {
                    self.element_mut(element).place = Place::Linked;
                }
            }
            Write::Unlock => self.bucket = NONE,
        }
    }

    /// Drops A's bucket, if that actor holds it.
    pub fn unlock(&mut self, actor: u8) {
        if self.bucket == actor {
            self.bucket = NONE;
        }
    }

    /// The datapath's write to an element lands.
    pub fn refresh(&mut self, element: u8, lifetime: u8) {
        self.touch(element);
        self.element_mut(element).lifetime = lifetime;
        self.last_written = lifetime;
    }

    /// Anybody's write through a pointer to A lands.
    pub fn touch(&mut self, element: u8) {
        self.stray |= self.owner(element) == Owner::B;
    }

    /// The free elements that an allocation may return: each one that somebody still points to, and one of the others,
    /// which are all alike. Free lists are per CPU with stealing, so any of them may come first.
    pub fn allocate(&self, choice: u8, pointed_to: impl Fn(u8) -> bool) -> Option<u8> {
        let free = (0u8..).zip(&self.elements).filter(|(_, element)| element.place == Place::Free);
        let mut fresh = false;
        free.map(|(index, _)| index)
            .filter(|&index| pointed_to(index) || !std::mem::replace(&mut fresh, true))
            .nth(usize::from(choice))
    }

    /// Forgets the content of elements that nobody can see any more, so that they are alike.
    pub fn forget(&mut self, seen: u16) {
        // An element that an update has parked is linked until that leaves the store buffer, so the links count.
        for (index, element) in (0u8..).zip(&mut self.elements) {
            if !self.link.contains(&index) && seen & (1 << index) == 0 {
                *element = Element { place: element.place, waits: element.waits, ..Element::default() };
            }
        }
    }
}
