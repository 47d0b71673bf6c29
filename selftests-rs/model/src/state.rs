// SPDX-License-Identifier: MIT OR Apache-2.0
//! A state of the whole: map, clock, actors, and what the oracle knows.

use crate::map::{Map, NONE, Recycling, Write};
use crate::scenario::{Scenario, Start};

/// Who runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Packet,
    Gc,
}

/// The actors that run programs, by index: two packets, two gc rounds.
pub(crate) const ROLES: [Role; 4] = [Role::Packet, Role::Packet, Role::Gc, Role::Gc];

/// Where a program stands that has ended.
pub(crate) const ENDED: u8 = 254;

/// An actor with a program. Bytes, since millions of them are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Actor {
    /// The next step; 0 if it has not begun.
    pub at: u8,
    pub clock: u8,
    pub pointer: u8,
    /// The copy of a lifetime (gc), or of the state word's lifetime (arena).
    pub copy: u8,
    /// The state word's generation (arena).
    pub generation: u8,
    /// A packet: the lifetime until which it believes A to live.
    pub believes: u8,
    /// The element that it has unlinked and not freed.
    pub holds: u8,
    /// A gc round with grace: the packets it has to wait for, a bit each.
    pub waits_for: u8,
}

impl Actor {
    const NEW: Self = Self {
        at: 0,
        clock: NONE,
        pointer: NONE,
        copy: NONE,
        generation: NONE,
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

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// Which scenario this began as.
    pub scenario: u8,
    pub clock: u8,
    pub map: Map,
    pub actors: [Actor; 4],
    /// How far the third flow has got: 0 nothing, 1 inserted, 2 updated.
    pub other: u8,
    /// The lifetime until which the datapath believes A to live, of all packets that ended.
    pub believed: u8,
    /// The next packet missed A although a refresh had ended.
    pub missed: bool,
    /// Removals that gc counts as its own, less those that happened.
    pub claims: i8,
}

impl State {
    pub fn new(index: u8, scenario: &Scenario, recycling: Recycling) -> Self {
        let lifetime = match scenario.start {
            Start::Expired => 0,
            Start::AtTick => 1,
        };
        Self {
            scenario: index,
            clock: 1,
            map: Map::new(lifetime, recycling),
            actors: [Actor::NEW; 4],
            other: 0,
            believed: NONE,
            missed: false,
            claims: 0,
        }
    }

    /// Nobody is in the middle of anything: the state is an end for whoever never begins.
    pub fn at_rest(&self) -> bool {
        self.map.bucket == NONE
            && self.map.buffers.is_empty()
            && self.actors.iter().all(|actor| !actor.running())
    }

    /// A packet ended in the belief that A lives, and it still should.
    pub fn believes(&self) -> bool {
        self.believed != NONE && self.believed >= self.clock
    }

    /// Whether a pointer of an actor's or a buffered write leads to `element`.
    pub fn points_to(actors: &[Actor; 4], buffers: &[(u8, Write)], element: u8) -> bool {
        actors.iter().any(|actor| actor.pointer == element)
            || buffers.iter().any(|(_, write)| match write {
                Write::Lifetime { element: to, .. } | Write::Link { element: to } => *to == element,
                Write::Unlock => false,
            })
    }

    /// Forgets what nobody can see any more, so that states that differ in nothing else are one.
    pub fn forget(&mut self) {
        let Self { map, actors, .. } = self;
        let buffers = map.buffers.clone();
        map.forget(|element| Self::points_to(actors, &buffers, element));
        if actors[..2].iter().any(|packet| packet.at != 0) {
            // A round's clock is kept to tell what it should have removed, which is asked only without packets.
            for actor in actors.iter_mut().filter(|actor| actor.at == ENDED) {
                actor.clock = NONE;
            }
        }
    }
}
