// SPDX-License-Identifier: MIT OR Apache-2.0
//! The oracle: what each packet met and what GC claims, against what must be true. It never looks at the map under test
//! but at the very end; what it knows it was told by the datapath, packet by packet.
//!
//! Each flow's packets are handled one after the other, so the last refresh that the datapath reported is the truth about
//! a flow: its entry must be there, with that lifetime and with the flow's own backend, until that lifetime is over.
//!
//! An LRU map evicts, and no protocol keeps it from that: a live entry that goes away is GC's doing only if GC removed an
//! entry of that flow between the packet that last found it and the one that missed it. Both say when they did what they did.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use results::races::{Followed, Violation, Violations};

use crate::datapath::Handled;
use crate::layout::{Outcome, TICK};
use crate::value::{FIRST_STRANGER, NEVER, backend_for};

/// So long after a removal, in ns, its collector may look at the clock: a packet may miss the entry in between.
const LATE: u64 = 20_000;

/// When something was done, in ns: not before the first, and by the second.
pub type Span = RangeInclusive<u64>;

/// The last refresh of a flow, while the datapath may count on its entry.
#[derive(Clone, Copy, Debug)]
struct Refreshed {
    /// The lifetime that was written.
    lifetime: u32,
    /// When the last packet began that found the entry, or made it.
    found: u64,
    /// There was a packet of the flow after it.
    followed: bool,
}

/// What is known of one flow.
#[derive(Clone, Debug, Default)]
struct Flow {
    believed: Option<Refreshed>,
    /// It was missed, at that time, although it was live, and has not been found since. Is it lost, or does it come back?
    missed: Option<u64>,
    /// Its entry was seen with another flow's backend, and has not been seen with its own since.
    foreign: bool,
    /// Times that an entry may have been made for it where there was none: an update does not tell.
    made: u64,
    /// When collectors removed it.
    claims: Vec<Span>,
}

/// A live entry that is gone, by whom is to be found out.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    flow: u32,
    /// When the last packet began that found it, or made it.
    found: u64,
    /// When it was missed.
    missed: u64,
}

/// What is true of the flows of one run, or of one thread of it.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// The map evicts, so that not all that is gone was removed by GC.
    evicts: bool,
    flows: HashMap<u32, Flow>,
    suspects: Vec<Suspect>,
    violations: Violations,
    packets: u64,
    refreshes: u64,
    followed: Followed,
    failed: u64,
}

/// An entry as the map has it at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its lifetime.
    pub lifetime: u32,
    /// Its backend.
    pub backend: u32,
}

impl Oracle {
    /// One for a map that evicts.
    pub fn of_evicting() -> Self {
        Self { evicts: true, ..Self::default() }
    }

    /// Takes in what became of a packet.
    pub fn packet(&mut self, handled: &Handled) {
        self.packets += 1;
        let flow = self.flows.entry(handled.packet.flow).or_default();
        let finds_out = handled.outcome != Outcome::Failed;
        if let Some(believed) = flow.believed.as_mut().filter(|believed| finds_out && !believed.followed) {
            believed.followed = true;
            let in_time = believed.lifetime >= handled.now;
            self.followed.in_time += u64::from(in_time);
            self.followed.late += u64::from(!in_time);
        }
        let refreshed = Refreshed { lifetime: handled.lifetime, found: handled.began, followed: false };
        match handled.outcome {
            // Nothing was done: what was true of the flow is still true.
            Outcome::Failed => self.failed += 1,
            Outcome::Missed => {
                if flow.is_live_at(handled.now) {
                    flow.missed.get_or_insert(handled.began);
                }
                // From here on the flow is known to be out, until it is opened or found again.
                if flow.missed.is_none() {
                    flow.believed = None;
                }
            }
            Outcome::Created => {
                // There was no entry: if there should have been one, it is gone for good.
                let live = flow.is_live_at(handled.now).then_some(handled.began);
                if let Some(missed) = flow.missed.take().or(live) {
                    let suspect = flow.suspect(handled.packet.flow, missed);
                    self.gone(suspect);
                }
                let flow = self.flows.entry(handled.packet.flow).or_default();
                flow.foreign = false;
                flow.made += 1;
                flow.believed = Some(refreshed);
            }
            Outcome::Stored | Outcome::Replaced | Outcome::Left => {
                let gap = flow.missed.take().is_some();
                let found = Left { lifetime: handled.seen, backend: handled.seen_backend };
                // The element was another flow's by then: what it held says nothing of this one.
                let mistaken =
                    if handled.seen == 0 { None } else { flow.mistaken_for(handled.packet.flow, found) };
                self.refreshes += 1;
                flow.made += u64::from(handled.outcome == Outcome::Replaced);
                if handled.outcome != Outcome::Left {
                    flow.believed = Some(refreshed);
                } else if let Some(believed) = &mut flow.believed {
                    believed.found = handled.began;
                }
                *self.violations.of_mut(Violation::Gap) += u64::from(gap);
                if let Some(violation) = mistaken {
                    *self.violations.of_mut(violation) += 1;
                }
            }
        }
    }

    /// An entry was put into the map by somebody who did not look whether there was one.
    pub fn inserted(&mut self, handled: &Handled) {
        let flow = self.flows.entry(handled.packet.flow).or_default();
        flow.missed = None;
        flow.foreign = false;
        flow.made += 1;
        flow.believed = Some(Refreshed { lifetime: handled.lifetime, found: handled.began, followed: false });
    }

    /// Refreshes so far.
    pub fn refreshes(&self) -> u64 {
        self.refreshes
    }

    /// Violations so far, those that are not yet decided left out.
    pub fn violations(&self) -> u64 {
        self.violations.total()
    }

    /// A collector says when it removed the flow's entry, which had that lifetime.
    pub fn claimed(&mut self, flow: u32, lifetime: u32, when: Span) {
        if flow < FIRST_STRANGER {
            self.flows.entry(flow).or_default().claims.push(when);
            return;
        }
        // What fills the map never expires. It was judged by another entry, or another flow's lifetime was there: written by
        // mistake, or read together with this key from an element on its way to this flow.
        let violation = if lifetime == NEVER { Violation::LostRefresh } else { Violation::StrayWrite };
        *self.violations.of_mut(violation) += 1;
    }

    /// A live entry of a flow is gone.
    fn gone(&mut self, suspect: Suspect) {
        if self.evicts {
            self.suspects.push(suspect);
        } else {
            *self.violations.of_mut(Violation::LostRefresh) += 1;
        }
    }

    /// Ends the run: `left` are the flows still in the map, `clock` the time at which it was read, before anything could
    /// expire further, `now` that time in ns. `over` are those still there after GC had all the time it needs, with a clock
    /// at which all had expired.
    pub fn settle(mut self, clock: u32, now: u64, left: &HashMap<u32, Left>, over: u64) -> Settled {
        let mut gone = Vec::new();
        for (&number, flow) in &mut self.flows {
            let live = flow.is_live_at(clock);
            match left.get(&number) {
                None if live || flow.missed.is_some() => {
                    gone.push(flow.suspect(number, flow.missed.unwrap_or(now)));
                }
                Some(_) if flow.missed.is_some() => *self.violations.of_mut(Violation::Gap) += 1,
                Some(&found) => {
                    if let Some(violation) = flow.mistaken_for(number, found) {
                        *self.violations.of_mut(violation) += 1;
                    }
                }
                None => {}
            }
        }
        gone.into_iter().for_each(|suspect| self.gone(suspect));
        self.violations.never_removed += over;
        Settled {
            violations: self.violations,
            packets: self.packets,
            refreshes: self.refreshes,
            followed: self.followed,
            failed: self.failed,
            evicted_live: 0,
            undecided: 0,
            suspects: self.suspects,
            made: self.flows.iter().map(|(&flow, state)| (flow, state.made)).collect(),
            claims: self.flows.into_iter().map(|(flow, state)| (flow, state.claims)).collect(),
        }
    }
}

impl Flow {
    /// Whether its entry has to be in the map at `now`.
    fn is_live_at(&self, now: u32) -> bool {
        self.believed.is_some_and(|refreshed| refreshed.lifetime >= now)
    }

    fn suspect(&self, flow: u32, missed: u64) -> Suspect {
        Suspect { flow, found: self.believed.map_or(0, |refreshed| refreshed.found), missed }
    }

    /// What an entry that was found says, where another was written last: a lifetime of another flow was written there by
    /// mistake, an older one of this flow was brought back, and another flow's backend was carried over. A backend stays
    /// what it is with each refresh, so it counts once.
    fn mistaken_for(&mut self, flow: u32, found: Left) -> Option<Violation> {
        if found.lifetime % TICK != flow % TICK {
            return Some(Violation::StrayWrite);
        }
        let foreign = found.backend != backend_for(flow);
        if std::mem::replace(&mut self.foreign, foreign) != foreign && foreign {
            return Some(Violation::ForeignValue);
        }
        self.believed.filter(|believed| found.lifetime < believed.lifetime).map(|_| Violation::StaleRestore)
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// By kind.
    pub violations: Violations,
    /// Packets handled.
    pub packets: u64,
    /// Refreshes of entries that were there.
    pub refreshes: u64,
    /// Whether the packets after its refreshes came in time to see a loss; of one part, since parts differ.
    pub followed: Followed,
    /// Packets for which nothing could be done at the time.
    pub failed: u64,
    /// Live entries that the map evicted.
    pub evicted_live: u64,
    /// Those of them that a collector may have removed after all: it was at an entry of that flow when they went.
    pub undecided: u64,
    suspects: Vec<Suspect>,
    made: HashMap<u32, u64>,
    claims: HashMap<u32, Vec<Span>>,
}

impl Settled {
    /// Joins the parts of a run whose packets and claims were told to several oracles. Then whatever was removed while it was
    /// live is told from what was evicted, and what collectors claim beyond what was there to remove is counted.
    pub fn join(parts: Vec<Self>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            for violation in Violation::ALL {
                *whole.violations.of_mut(violation) += part.violations.of(violation);
            }
            whole.packets += part.packets;
            whole.refreshes += part.refreshes;
            whole.failed += part.failed;
            whole.suspects.extend(part.suspects);
            for (flow, made) in part.made {
                *whole.made.entry(flow).or_default() += made;
            }
            for (flow, claims) in part.claims {
                whole.claims.entry(flow).or_default().extend(claims);
            }
        }
        for suspect in std::mem::take(&mut whole.suspects) {
            let claims = whole.claims.get(&suspect.flow).map_or(&[][..], Vec::as_slice);
            let life = suspect.found..=suspect.missed.saturating_add(LATE);
            if claims.iter().any(|claim| life.contains(claim.end())) {
                whole.violations.lost_refresh += 1;
            } else {
                whole.evicted_live += 1;
                let at_it = |claim: &Span| claim.start() <= life.end() && life.start() <= claim.end();
                whole.undecided += u64::from(claims.iter().any(at_it));
            }
        }
        for (flow, claims) in &whole.claims {
            // An entry can be removed as often as it was made.
            let made = whole.made.get(flow).copied().unwrap_or(0);
            whole.violations.double_delete += (claims.len() as u64).saturating_sub(made);
        }
        whole
    }
}

#[cfg(test)]
mod tests;
