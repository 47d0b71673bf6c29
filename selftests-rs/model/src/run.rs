// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a step does to a state.

use crate::dsl::{Op, Outcome, Step};
use crate::element::Place;
use crate::map::NONE;
use crate::program::Target;
use crate::rules::{Rules, actor_id};
use crate::seen::Seen;
use crate::state::{Role, State};

/// How an action ended and what was seen; the step goes on with its second half after `None` for the outcome.
pub(crate) type Acted = Option<(Option<Outcome>, Seen)>;

/// An action that is the whole of its step.
pub(crate) fn whole(outcome: Outcome, seen: Seen) -> Acted {
    Some((Some(outcome), seen))
}

impl Rules {
    /// Takes the next step of `actor`; nothing if there is no such choice.
    pub fn step(&self, state: &mut State, actor: usize, choice: u8) -> Option<Seen> {
        let me = state.actors[actor];
        let step = *self.program(actor).step(me.at);
        let (outcome, seen) = self.act(state, actor, &step, choice)?;
        match outcome {
            Some(outcome) => self.end_step(state, actor, &step, choice, outcome)?,
            None => state.actors[actor].phase = 1,
        }
        self.let_go(state);
        state.forget();
        Some(seen)
    }

    fn end_step(
        &self,
        state: &mut State,
        actor: usize,
        step: &Step,
        choice: u8,
        outcome: Outcome,
    ) -> Option<()> {
        if step.reports == Some(outcome) {
            state.claims += 1;
        }
        state.refused |= outcome == Outcome::Failed;
        let target = match self.program(actor).after(state.actors[actor].at, outcome) {
            Target::Syn(_) if choice == 0 => Target::Drop,
            Target::Syn(to) => Target::At(to),
            Target::SynElse(_, data) if choice == 0 => Target::At(data),
            Target::SynElse(syn, _) => Target::At(syn),
            _ if choice != 0 && Self::decides(step.op) => return None,
            other => other,
        };
        state.actors[actor].phase = 0;
        self.go(state, actor, target);
        Some(())
    }

    fn go(&self, state: &mut State, actor: usize, mut target: Target) {
        let program = self.program(actor);
        let me = &mut state.actors[actor];
        while let Target::At(at) = target
            && program.step(at).op == Op::Free
            && me.holds == NONE
        {
            target = program.passing_over(at);
        }
        match target {
            Target::At(at) | Target::Syn(at) | Target::SynElse(at, _) => {
                me.at = at;
                me.forget(program.needs(at));
            }
            Target::End => {
                if me.believes != NONE {
                    let known = if state.believed == NONE { 0 } else { state.believed };
                    state.believed = known.max(me.believes);
                }
                me.end(self.role(actor));
            }
            Target::Drop => me.end(self.role(actor)),
        }
    }

    /// Grace periods end. A packet that has ended and left nothing in its CPU's store buffer is nobody's to wait for: a grace
    /// period implies a full barrier on each CPU.
    pub fn let_go(&self, state: &mut State) {
        let reading = self.readers(state);
        for gc in &mut state.actors[2..] {
            gc.waits_for &= reading;
        }
        for element in state.map.elements.iter_mut().filter(|element| element.waits != 0) {
            element.waits &= reading;
            if element.waits == 0 && element.place == Place::Waiting {
                element.place = Place::Free;
            }
        }
    }

    fn act(&self, state: &mut State, actor: usize, step: &Step, choice: u8) -> Acted {
        let me = state.actors[actor];
        match step.op {
            Op::Grace => {
                let rounds = (0..4).filter(|&actor| self.role(actor) == Role::Gc);
                let gcs = rounds.fold(0, |set, actor| set | 1 << actor);
                state.actors[actor].waits_for = self.readers(state) & !gcs;
                whole(Outcome::Done, Seen::Waits)
            }
            Op::GraceEnd => whole(Outcome::Done, Seen::Waited),
            Op::TakeStripe => {
                if me.key == crate::element::Key::A {
                    state.map.stripe = actor_id(actor);
                }
                let found = if me.pointer == NONE { Outcome::Missing } else { Outcome::Done };
                whole(found, Seen::TookStripe)
            }
            Op::DropStripe => {
                if state.map.stripe == actor_id(actor) {
                    state.map.stripe = NONE;
                }
                whole(Outcome::Done, Seen::DroppedStripe)
            }
            Op::Pin => {
                state.pinned = actor_id(actor);
                whole(Outcome::Done, Seen::Pinned)
            }
            Op::Unpin => {
                state.pinned = NONE;
                whole(Outcome::Done, Seen::Unpinned)
            }
            op if op.is_of_maps_in_turn() => self.turn(state, actor, op),
            Op::Store
            | Op::LockedStore
            | Op::LockedStoreTagged
            | Op::LockedMark
            | Op::LockedUnmark
            | Op::Exchange
            | Op::CasStore
            | Op::CasMark
            | Op::CasUnmark
            | Op::CasRefresh
            | Op::CasRemove => self.write_through(state, actor, step.op),
            Op::Replace
            | Op::Create
            | Op::CreateNew
            | Op::CreateLocked
            | Op::Restore
            | Op::CasCreate
            | Op::Delete
            | Op::Compare
            | Op::CompareValue
            | Op::TakeCopy
            | Op::Unlink
            | Op::Free => self.change(state, actor, step.op, choice),
            _ => self.look(state, actor, step.op),
        }
    }
}
