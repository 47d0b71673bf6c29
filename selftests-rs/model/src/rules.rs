// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may take a step when, and in how many ways.

use crate::Program;
use crate::dsl::{Op, Outcome};
use crate::element::{Element, Key, Lock};
use crate::map::{NONE, Recycling, TIMEOUT};
use crate::state::{ENDED, Role, State};

/// The rules that all states of an exploration share.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub packet: Program,
    pub gc: Program,
    /// Somebody who follows no protocol, in the place of a second round.
    pub agent: Option<Program>,
    pub recycling: Recycling,
    /// Plain stores wait in a buffer.
    pub tso: bool,
    /// Packets of A run on two CPUs at once.
    pub spread: bool,
    /// B's tag is A's.
    pub collision: bool,
    /// The collector's program may sleep, so that a grace period does not wait for it while its interrupts are on.
    pub sleepable: bool,
    /// A second round begins once the first has ended.
    pub in_turn: bool,
    /// What the programs tell of themselves.
    pub traits: Traits,
}

/// What follows from the steps that a discipline and a strategy have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// A new element is filled under its own lock.
    pub locked_fill: bool,
    /// Whoever writes to an element takes its lock.
    pub locked_writes: bool,
    /// The dead mark stands in the word with lifetime and tag, not beside it.
    pub dead_in_word: bool,
    /// The collector marks what it removes.
    pub marks: bool,
    /// Packets look at the mark.
    pub sees_dead: bool,
    /// Two maps take turns.
    pub generations: bool,
    /// The collector runs on the CPU of A's packets.
    pub on_flow_cpu: bool,
}

impl Traits {
    fn of(packet: &Program, gc: &Program, recycling: Recycling) -> Self {
        let dead_in_word = packet.has(Op::ReadWord) || gc.has(Op::ReadWord);
        let tagged = packet.has(Op::JudgeTagged) || packet.has(Op::JudgeHalf) || packet.has(Op::ReadWord);
        let locked = packet.has(Op::LockedStore) || packet.has(Op::LockedStoreTagged);
        // A resizable hash fills what nobody should see any more, without a lock.
        let locked_fill = packet.has(Op::CreateLocked) && recycling != Recycling::AfterGrace;
        let lockless =
            [Op::Store, Op::Exchange, Op::CasStore].iter().any(|&op| packet.has(op)) || gc.has(Op::CasMark);
        Self {
            locked_fill,
            locked_writes: locked_fill && !lockless,
            dead_in_word,
            sees_dead: locked || (dead_in_word && tagged),
            marks: gc.has(Op::LockedMark) || gc.has(Op::CasMark),
            generations: packet.has(Op::ReadCurrent) || gc.has(Op::SwapCurrent),
            on_flow_cpu: gc.has(Op::Pin),
        }
    }
}

impl Rules {
    pub fn new(packet: Program, gc: Program, recycling: Recycling) -> Self {
        let traits = Traits::of(&packet, &gc, recycling);
        Self {
            packet,
            gc,
            agent: None,
            recycling,
            tso: false,
            spread: false,
            collision: false,
            sleepable: false,
            in_turn: false,
            traits,
        }
    }

    pub fn program(&self, actor: usize) -> &Program {
        match (actor, &self.agent) {
            (0 | 1, _) => &self.packet,
            (3, Some(agent)) => agent,
            _ => &self.gc,
        }
    }

    /// What an actor is.
    pub fn role(&self, actor: usize) -> Role {
        match actor {
            0 | 1 => Role::Packet,
            3 if self.agent.is_some() => Role::Agent,
            _ => Role::Gc,
        }
    }

    /// Which CPU an actor runs on; packets use 0 and 1, since those have spares.
    pub fn cpu(&self, actor: usize) -> u8 {
        match (actor, self.role(actor)) {
            (0, _) => 0,
            (1, _) => u8::from(self.spread),
            (_, Role::Gc) if self.traits.on_flow_cpu => 0,
            (2, _) => 2,
            _ => 3,
        }
    }

    /// What an actor is called in a schedule.
    pub fn name(&self, actor: usize) -> &'static str {
        match (actor, self.role(actor)) {
            (0, _) => "packet",
            (1, _) if self.spread => "packet2",
            (1, _) => "again",
            (_, Role::Agent) => "agent",
            (2, _) => "gc",
            _ => "gc2",
        }
    }

    /// How long a refresh by an actor's clock lasts: to the end, or for one whole period.
    pub fn fresh(&self, clock: u8) -> u8 {
        clock.saturating_add(if self.traits.generations { 1 } else { TIMEOUT })
    }

    /// Whether A is there, in an entry that a packet would go by.
    pub fn has_a(&self, state: &State) -> bool {
        if self.traits.generations {
            let turns = &state.turns;
            return turns.holds & (1 << turns.current | 1 << turns.previous) != 0;
        }
        let element = state.map.linked(Key::A);
        element != NONE && !(self.traits.sees_dead && state.map.element(element).dead)
    }

    /// The same for a packet that looks at once on CPU 0.
    pub fn hits(&self, state: &State) -> bool {
        let found = state.map.find(0, Key::A);
        let seen = found != NONE && !(self.traits.sees_dead && state.map.element(found).dead);
        if self.traits.generations { self.has_a(state) } else { seen }
    }

    /// Whether a program that expects the tag of `key` takes the element for its own.
    pub fn is_of(&self, element: &Element, key: Key) -> bool {
        self.collision || element.tag == key
    }

    /// Whether a section under an element's lock takes two steps: so it is where somebody writes to elements without it.
    pub fn splits(&self) -> bool {
        !self.traits.locked_writes || self.agent.is_some()
    }

    /// Whether an actor is a reader. System calls are readers only for their own length.
    fn reads(&self, state: &State, actor: usize) -> bool {
        let me = &state.actors[actor];
        me.running()
            && match self.role(actor) {
                Role::Packet => true,
                // The kernel's own calls are.
                _ if me.phase != 0 => true,
                Role::Gc => {
                    let alone = [state.map.stripe, state.pinned].contains(&actor_id(actor));
                    !self.sleepable || alone
                }
                Role::Agent => self.program(actor).has(Op::Store),
            }
    }

    /// The actors whom a grace period that begins now has to wait for, a bit each. It implies a full barrier on each CPU.
    pub fn readers(&self, state: &State) -> u8 {
        let buffers = |actor| self.role(actor) != Role::Gc && !state.map.drained(self.cpu(actor));
        let waited_for = |&actor: &usize| self.reads(state, actor) || buffers(actor);
        (0..4).filter(waited_for).fold(0, |set, actor| set | 1 << actor)
    }

    /// Whether an actor may take its next step.
    pub fn enabled(&self, state: &State, actor: usize) -> bool {
        let me = &state.actors[actor];
        let waits_for_first = match self.role(actor) {
            _ if me.at != 0 => false,
            Role::Packet => {
                let busy = state.pinned != NONE && self.cpu(actor) == 0;
                busy || (actor == 1 && !self.spread && state.actors[0].at != ENDED)
            }
            Role::Gc => actor == 3 && self.in_turn && state.actors[2].at != ENDED,
            Role::Agent => false,
        };
        if me.at == ENDED || waits_for_first {
            return false;
        }
        // A lock or an atomic operation empties the store buffer first.
        let drained = !self.tso || state.map.drained(self.cpu(actor));
        let op = self.program(actor).step(me.at).op;
        match op {
            Op::GraceEnd => me.waits_for == 0,
            Op::Replace | Op::Create if self.recycling == Recycling::AfterGrace => drained,
            // One that has compared holds the lock.
            Op::Replace => drained && [NONE, actor_id(actor)].contains(&state.map.bucket),
            _ if op.waits_for_the_bucket() => drained && state.map.bucket == NONE,
            Op::LockedStore | Op::LockedStoreTagged | Op::LockedMark | Op::LockedUnmark => {
                let lock = state.map.element(me.pointer).lock;
                drained && (lock == Lock::Open || lock == Lock::Held(actor_id(actor)))
            }
            Op::TakeStripe => drained && (me.key == Key::B || state.map.stripe == NONE),
            Op::Pin => {
                let busy = (0..2).any(|packet| self.cpu(packet) == 0 && state.actors[packet].running());
                drained && state.pinned == NONE && !busy
            }
            Op::Exchange
            | Op::Free
            | Op::CasStore
            | Op::CasMark
            | Op::CasUnmark
            | Op::DropStripe
            | Op::CasRefresh
            | Op::CasRemove
            | Op::CasCreate => drained,
            _ => true,
        }
    }

    /// In how many ways the step may go at the most.
    pub fn choices(&self, state: &State, actor: usize) -> u8 {
        let me = &state.actors[actor];
        let program = self.program(actor);
        match program.step(me.at).op {
            _ if me.phase != 0 => 1,
            // An element that somebody points to, of which there are at most four, or one of the others.
            Op::Replace | Op::Create | Op::CreateNew | Op::CreateLocked | Op::Restore | Op::CasCreate => 6,
            // Data packet or SYN, should A be missing.
            op if Self::decides(op) => 2,
            Op::Delete if program.tells(me.at, Outcome::Failed) => 2,
            _ => 1,
        }
    }

    /// Whether a packet may find with that step that A is missing.
    pub fn decides(op: Op) -> bool {
        matches!(op, Op::LookUp | Op::LockedStore | Op::LockedStoreTagged | Op::Find | Op::LookUpPrevious)
    }
}

/// An actor's index as the map keeps it.
pub(crate) fn actor_id(actor: usize) -> u8 {
    u8::try_from(actor).unwrap_or(NONE)
}
