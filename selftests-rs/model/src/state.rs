// SPDX-License-Identifier: MIT OR Apache-2.0
//! A state of the whole: map, clock, actors, and what the oracle knows.

use std::hash::{Hash, Hasher};

use crate::element::Key;
use crate::map::{Map, NONE, Recycling, Write};
use crate::scenario::{Scenario, Start};

/// Who runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Packet,
    Gc,
    Agent,
}

/// Two packets, a gc round, and a second one or an agent.
pub(crate) const ACTORS: usize = 4;

/// Where a program stands that has ended.
pub(crate) const ENDED: u8 = 254;

/// An actor with a program. Bytes, since millions of them are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    /// The next step; 0 if it has not begun.
    pub at: u8,
    /// How far it is within that step, where the step takes two.
    pub phase: u8,
    pub clock: u8,
    pub pointer: u8,
    /// What it deletes and looks up.
    pub key: Key,
    /// The copy of a lifetime, of the state word's lifetime (arena), or which map was the previous one.
    pub copy: u8,
    /// The copied value's tag and backend.
    pub tag: Key,
    pub backend: Key,
    pub dead: bool,
    /// The state word's generation (arena), or which map was the current one.
    pub generation: u8,
    /// Where maps take turns: A was promised to be there when it began to look.
    pub promised: bool,
    /// The lifetime until which it believes A to live.
    pub believes: u8,
    /// The element that it has unlinked and not freed.
    pub holds: u8,
    /// A gc round with grace: the actors it has to wait for, a bit each.
    pub waits_for: u8,
}

impl Actor {
    const NEW: Self = Self {
        at: 0,
        phase: 0,
        clock: NONE,
        pointer: NONE,
        key: Key::A,
        copy: NONE,
        tag: Key::A,
        backend: Key::A,
        dead: false,
        generation: NONE,
        promised: false,
        believes: NONE,
        holds: NONE,
        waits_for: 0,
    };

    pub fn running(&self) -> bool {
        self.at != 0 && self.at != ENDED
    }

    /// Ends, keeping nothing but a gc round's clock.
    pub fn end(&mut self, role: Role) {
        let clock = if role == Role::Gc { self.clock } else { NONE };
        *self = Self { at: ENDED, clock, ..Self::NEW };
    }
}

impl Hash for Actor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let keys = self.key as u8
            | (self.tag as u8) << 1
            | (self.backend as u8) << 2
            | u8::from(self.dead) << 3
            | u8::from(self.promised) << 4;
        let first =
            [self.at, self.phase, self.clock, self.pointer, keys, self.copy, self.generation, self.believes];
        state.write_u64(u64::from_le_bytes(first));
        state.write_u64(u64::from(self.holds) << 8 | u64::from(self.waits_for));
    }
}

/// How far the third flow has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Other {
    Nothing,
    /// Its first packet has an element and has filled key and state.
    State,
    /// And the word.
    Word,
    Linked,
    Updated,
    Removed,
}

/// The maps that take turns, by number; the numbers only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Turns {
    pub current: u8,
    pub previous: u8,
    /// Which of them A is in, a bit each.
    pub holds: u8,
    /// How many have been current after the first.
    pub swaps: u8,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// Which scenario this began as.
    pub scenario: u8,
    pub clock: u8,
    pub map: Map,
    pub turns: Turns,
    pub actors: [Actor; ACTORS],
    pub other: Other,
    /// The element that B's first packet fills, and whether the entry is to be live.
    pub filling: u8,
    pub other_live: bool,
    /// Who has disabled interrupts on the CPU of A's packets.
    pub pinned: u8,
    /// The lifetime until which the datapath believes A to live, of all packets that ended.
    pub believed: u8,
    /// The next packet missed A although a refresh had ended.
    pub missed: bool,
    /// An LRU map has evicted A's entry, and none has been made since. What is written to the element now is lost by eviction,
    /// which is everybody's loss.
    pub evicted: bool,
    /// The kernel has refused a delete: no round promises anything any more.
    pub refused: bool,
    /// Somebody has removed B's entry while it was live, or a SYN has made A's anew that was missed: what it carried is gone,
    /// whether or not somebody would have put it back.
    pub lost: bool,
    /// Removals that gc counts as its own, less those that happened.
    pub claims: i8,
}

impl State {
    pub fn new(index: u8, scenario: &Scenario, recycling: Recycling) -> Self {
        let (lifetime, holds) = match scenario.start {
            Start::Expired => (0, 0b10),
            Start::AtTick => (1, 0b01),
        };
        Self {
            scenario: index,
            clock: 1,
            map: Map::new(lifetime, recycling),
            turns: Turns { current: 0, previous: 1, holds, swaps: 0 },
            actors: [Actor::NEW; ACTORS],
            other: Other::Nothing,
            filling: NONE,
            other_live: false,
            pinned: NONE,
            believed: NONE,
            missed: false,
            evicted: false,
            refused: false,
            lost: false,
            claims: 0,
        }
    }

    /// Nobody is in the middle of anything: the state is an end for whoever never begins.
    pub fn at_rest(&self) -> bool {
        self.map.bucket == NONE
            && self.map.buffers.is_empty()
            && self.actors.iter().all(|actor| !actor.running())
    }

    /// A packet has refreshed A's entry, and counts on it from now on.
    pub fn count_on(&mut self, actor: usize, lifetime: u8) {
        if !self.evicted {
            self.actors[actor].believes = lifetime;
        }
    }

    /// A packet ended in the belief that A lives, and it still should.
    pub fn believes(&self) -> bool {
        self.believed != NONE && self.believed >= self.clock
    }

    /// The elements that a pointer of an actor's or a buffered write leads to, a bit each.
    pub fn pointed_to(&self) -> u16 {
        let pointers = self.actors.iter().map(|actor| actor.pointer);
        let writes = self.map.buffers.iter().map(|(_, write)| match write {
            Write::Lifetime { element, .. } | Write::Link { element } => *element,
            Write::Unlock => NONE,
        });
        pointers.chain(writes).filter(|&element| element != NONE).fold(0, |set, element| set | bit(element))
    }

    /// Forgets what nobody can see any more, so that states that differ in nothing else are one.
    pub fn forget(&mut self) {
        let held = self.actors.iter().map(|actor| actor.holds).chain([self.filling]);
        let seen = held.filter(|&element| element != NONE).fold(self.pointed_to(), |set, one| set | bit(one));
        self.map.forget(seen);
        if self.actors[..2].iter().any(|packet| packet.at != 0) {
            // A round's clock is kept to tell what it should have removed, which is asked only without packets.
            for actor in self.actors.iter_mut().filter(|actor| actor.at == ENDED) {
                actor.clock = NONE;
            }
        }
    }
}

/// The bit of an element, or of a map that takes turns.
pub(crate) fn bit(element: u8) -> u16 {
    1u16.checked_shl(u32::from(element)).unwrap_or_default()
}
