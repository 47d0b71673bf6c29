// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two maps that take turns. The clock is how often the previous map has been given away: an entry that a packet saw is there
//! for one whole period after that packet, and a period lies between the end of one swap and the beginning of the next.

use crate::dsl::{Op, Outcome};
use crate::map::NONE;
use crate::rules::Rules;
use crate::run::{Acted, whole};
use crate::seen::Seen;
use crate::state::State;

impl Rules {
    pub(crate) fn turn(&self, state: &mut State, actor: usize, op: Op) -> Acted {
        let me = state.actors[actor];
        let believes = self.fresh(me.clock);
        let turns = &mut state.turns;
        let has = |turns: u8, map: u8| turns & (1 << map) != 0;
        match op {
            Op::ReadCurrent => {
                // A flow that was not there when the packet looked first may be missed.
                state.actors[actor].promised = state.believed != NONE && state.believed >= state.clock;
                state.actors[actor].generation = turns.current;
                whole(Outcome::Done, Seen::ReadMap { map: turns.current })
            }
            Op::ReadPrevious => {
                state.actors[actor].copy = turns.previous;
                whole(Outcome::Done, Seen::ReadMap { map: turns.previous })
            }
            Op::LookUpCurrent if has(turns.holds, me.generation) => {
                state.actors[actor].believes = believes;
                whole(Outcome::Done, Seen::FoundIn { map: me.generation })
            }
            Op::LookUpCurrent => whole(Outcome::Missing, Seen::MissedIn { map: me.generation }),
            Op::LookUpPrevious if has(turns.holds, me.copy) => {
                whole(Outcome::Done, Seen::FoundIn { map: me.copy })
            }
            Op::LookUpPrevious => {
                state.missed |= me.promised && state.believes();
                whole(Outcome::Missing, Seen::MissedIn { map: me.copy })
            }
            Op::PutCurrent => {
                let outcome = if has(turns.holds, me.generation) { Outcome::Exists } else { Outcome::Done };
                turns.holds |= 1 << me.generation;
                state.actors[actor].believes = believes;
                whole(outcome, Seen::PutInto { map: me.generation, new: outcome == Outcome::Done })
            }
            Op::SwapPrevious => {
                state.actors[actor].pointer = turns.previous;
                turns.previous = turns.current;
                state.clock += 1;
                whole(Outcome::Done, Seen::Previous { map: turns.previous })
            }
            Op::SwapCurrent => {
                turns.swaps += 1;
                turns.current = 1 + turns.swaps;
                whole(Outcome::Done, Seen::Current { map: turns.current })
            }
            _ => {
                turns.holds &= !(1u8.checked_shl(u32::from(me.pointer)).unwrap_or_default());
                state.actors[actor].pointer = NONE;
                whole(Outcome::Done, Seen::Dropped { map: me.pointer })
            }
        }
    }
}
