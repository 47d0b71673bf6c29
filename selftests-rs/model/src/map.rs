// SPDX-License-Identifier: MIT OR Apache-2.0
//! A BPF hash map with one bucket for A: elements that exist whether linked or not, links from key to element, the bucket
//! lock, and store buffers between the CPUs and all of it.
//!
//! The element lock needs no state: a section under it is one step, and whoever ignores the lock does not notice it.
//! B has a bucket of its own; its lock would only take interleavings away.

/// No element, no actor, no lifetime.
pub(crate) const NONE: u8 = u8::MAX;
/// What a sealing gc writes in place of a lifetime: above every clock, and nothing that a packet writes.
pub(crate) const SEAL: u8 = 200;
/// B's lifetime: above every clock, and nothing that a packet of A writes.
pub(crate) const OF_B: u8 = 100;
/// What a refresh adds to the clock. More than the clock ever advances, so that a refreshed entry is live to the end.
pub(crate) const TIMEOUT: u8 = 4;

/// Enough for A's first element, two spares, B's, two creates and a restore with everything old still pointed to.
pub(crate) const ELEMENTS: usize = 8;

/// What becomes of an element that is unlinked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recycling {
    /// A preallocated hash: a delete gives it to the free list; an update parks it, inside its critical section, as this
    /// CPU's spare (`extra_elems`), which the next update of an existing key on this CPU takes.
    Parked,
    /// A hash without preallocation and an LRU hash: it is free as soon as the call that unlinked it ends, whatever the
    /// call was. Both differ in whose free list that is, which explores as the same since any CPU may be the next to take
    /// from it, and in eviction, which the lab's maps never need.
    AtOnce,
    /// An arena: a slot is free with the swap that removes its key, and has another generation when it is claimed again.
    Slots,
}

/// The two flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    A,
    B,
}

/// Where an element is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    #[default]
    Free,
    Linked,
    /// In somebody's hands: allocated and not linked yet, or unlinked and not freed yet.
    Held,
    /// A CPU's spare.
    Spare,
}

/// An element, with the lifetime that its value has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Element {
    pub place: Place,
    pub lifetime: u8,
    pub dead: bool,
    /// Put in by gc's restore.
    pub restored: bool,
    /// Counts the claims of an arena's slot.
    pub generation: u8,
}

/// A store that has not left its CPU's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Write {
    Lifetime { element: u8, lifetime: u8 },
    Link { element: u8 },
    Unlock,
}

/// Whose the element is that a write landed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    A,
    B,
    Nobody,
}

/// The map, and what the oracle keeps of the writes to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Map {
    pub elements: [Element; ELEMENTS],
    /// The element of each key.
    pub link: [u8; 2],
    /// Who holds A's bucket.
    pub bucket: u8,
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

    /// What `cpu` finds under A without a lock.
    pub fn find(&self, cpu: u8) -> u8 {
        let own = self.buffers.iter().rev().find_map(|&(by, write)| match write {
            Write::Link { element } if by == cpu => Some(element),
            _ => None,
        });
        own.unwrap_or(self.link[Key::A as usize])
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
            _ if self.link[Key::A as usize] == element => Owner::A,
            _ if self.link[Key::B as usize] == element => Owner::B,
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

    /// A and its entry is one that a packet would go by.
    pub fn has_a(&self) -> bool {
        let element = self.link[Key::A as usize];
        element != NONE && !self.element(element).dead
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
    pub fn forget(&mut self, pointed_to: impl Fn(u8) -> bool) {
        // An element that an update has parked is linked until that leaves the store buffer, so the links count.
        for (index, element) in (0u8..).zip(&mut self.elements) {
            if !self.link.contains(&index) && !pointed_to(index) {
                *element = Element { place: element.place, ..Element::default() };
            }
        }
    }
}
