// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may take a step when, and in how many ways.

use crate::Program;
use crate::dsl::Op;
use crate::map::{NONE, Recycling};
use crate::state::{ENDED, ROLES, Role, State};

/// The rules that all states of an exploration share.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub packet: Program,
    pub gc: Program,
    pub recycling: Recycling,
    /// Plain stores wait in a buffer.
    pub tso: bool,
    /// Packets of A run on two CPUs at once.
    pub spread: bool,
}

impl Rules {
    pub fn program(&self, actor: usize) -> &Program {
        match ROLES[actor] {
            Role::Packet => &self.packet,
            Role::Gc => &self.gc,
        }
    }

    /// Which CPU an actor runs on; packets use 0 and 1, since those have spares.
    pub fn cpu(&self, actor: usize) -> u8 {
        match actor {
            0 => 0,
            1 => u8::from(self.spread),
            2 => 2,
            _ => 3,
        }
    }

    /// What an actor is called in a schedule.
    pub fn name(&self, actor: usize) -> &'static str {
        match actor {
            0 => "packet",
            1 if self.spread => "packet2",
            1 => "again",
            2 => "gc",
            _ => "gc2",
        }
    }

    /// What an actor is.
    pub fn role(&self, actor: usize) -> Role {
        ROLES[actor]
    }

    /// Whether an actor may take its next step.
    pub fn enabled(&self, state: &State, actor: usize) -> bool {
        let me = &state.actors[actor];
        if me.at == ENDED || (actor == 1 && !self.spread && state.actors[0].at != ENDED) {
            return false;
        }
        // A lock or an atomic operation empties the store buffer first.
        let drained = !self.tso || state.map.drained(self.cpu(actor));
        match self.program(actor).step(me.at).op {
            Op::GraceEnd => me.waits_for == 0,
            Op::Snapshot
            | Op::Replace
            | Op::Create
            | Op::CreateNew
            | Op::Delete
            | Op::Compare
            | Op::CompareAndSeal
            | Op::TakeCopy
            | Op::Restore => drained && state.map.bucket == NONE,
            Op::LockedStore
            | Op::LockedMark
            | Op::Exchange
            | Op::Free
            | Op::CasRefresh
            | Op::CasRemove
            | Op::CasCreate => drained,
            _ => true,
        }
    }

    /// In how many ways the step may go at the most.
    pub fn choices(op: Op) -> u8 {
        match op {
            // An element that somebody points to, of which there are at most four, or one of the others.
            Op::Replace | Op::Create | Op::CreateNew | Op::Restore | Op::CasCreate => 5,
            // Data packet or SYN, should A be missing.
            Op::LookUp | Op::LockedStore | Op::Find => 2,
            _ => 1,
        }
    }
}
