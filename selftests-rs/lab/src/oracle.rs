// SPDX-License-Identifier: MIT OR Apache-2.0
//! The oracle: what each packet met and what GC claims, against what must be true. It never looks at the map under test
//! but at the very end; what it knows it was told by the datapath, packet by packet.
//!
//! Each flow's packets are handled one after the other, so the last refresh that the datapath reported is the truth about
//! a flow: its entry must be there, with that lifetime, until that lifetime is over.

use std::collections::HashMap;

use results::races::{Violation, Violations};

use crate::datapath::Handled;
use crate::layout::{Outcome, TICK};
use crate::value::backend_for;

/// What is known of one flow.
#[derive(Clone, Debug, Default)]
struct Flow {
    /// The lifetime last written for it, while the datapath may count on its entry.
    believed: Option<u32>,
    /// It was missed although it was live, and has not been found since. Is it lost, or does it come back?
    missed: bool,
    /// Times that an entry may have been made for it where there was none: an update does not tell.
    made: u64,
    /// Removals that collectors claim.
    claimed: u64,
    /// Its entry carries another flow's state, and that was told.
    foreign: bool,
}

/// What is true of the flows of one run, or of one thread of it.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    flows: HashMap<u32, Flow>,
    violations: Violations,
    packets: u64,
    refreshes: u64,
    failed: u64,
}

impl Oracle {
    /// Takes in what became of a packet.
    pub fn packet(&mut self, handled: &Handled) {
        self.packets += 1;
        let flow = self.flows.entry(handled.packet.flow).or_default();
        let foreign = handled.seen_backend != 0 && handled.seen_backend != backend_for(handled.packet.flow);
        *self.violations.of_mut(Violation::ForeignValue) += u64::from(foreign && !flow.foreign);
        flow.foreign = foreign;
        match handled.outcome {
            Outcome::Failed => {
                // Nothing is known of a flow whose update failed.
                self.failed += 1;
                flow.believed = None;
                flow.missed = false;
            }
            Outcome::Missed => {
                if flow.is_live_at(handled.now) {
                    flow.missed = true;
                }
                // From here on the flow is known to be out, until it is opened or found again.
                if !flow.missed {
                    flow.believed = None;
                }
            }
            Outcome::Created => {
                // There was no entry: if there should have been one, it is gone for good.
                let lost = flow.missed || flow.is_live_at(handled.now);
                *self.violations.of_mut(Violation::LostRefresh) += u64::from(lost);
                flow.missed = false;
                flow.made += 1;
                flow.believed = Some(handled.lifetime);
            }
            Outcome::Stored | Outcome::Replaced | Outcome::Left => {
                let gap = std::mem::take(&mut flow.missed);
                *self.violations.of_mut(Violation::Gap) += u64::from(gap);
                if let Some(violation) = flow.mistaken(handled) {
                    *self.violations.of_mut(violation) += 1;
                }
                self.refreshes += 1;
                flow.made += u64::from(handled.outcome == Outcome::Replaced);
                let left = handled.outcome == Outcome::Left;
                flow.believed = if left { flow.believed } else { Some(handled.lifetime) };
            }
        }
    }

    /// An entry was put into the map by somebody who did not look whether there was one.
    pub fn inserted(&mut self, handled: &Handled) {
        let flow = self.flows.entry(handled.packet.flow).or_default();
        flow.missed = false;
        flow.made += 1;
        flow.believed = Some(handled.lifetime);
    }

    /// Refreshes so far.
    pub fn refreshes(&self) -> u64 {
        self.refreshes
    }

    /// Violations so far.
    pub fn violations(&self) -> u64 {
        self.violations.total()
    }

    /// A collector says that it has removed the flow's entry.
    pub fn claimed(&mut self, flow: u32) {
        self.flows.entry(flow).or_default().claimed += 1;
    }

    /// Ends the run: `left` are the flows still in the map with their lifetimes, `clock` the time at which it was read,
    /// before anything could expire further. `over` are those still there after GC had all the time it needs, with a clock
    /// at which all had expired.
    pub fn settle(mut self, clock: u32, left: &HashMap<u32, u32>, over: u64) -> Settled {
        for (number, flow) in &self.flows {
            let there = left.get(number);
            let live = flow.is_live_at(clock);
            match there {
                None if live || flow.missed => *self.violations.of_mut(Violation::LostRefresh) += 1,
                Some(_) if flow.missed => *self.violations.of_mut(Violation::Gap) += 1,
                Some(&lifetime) => {
                    if let Some(violation) = flow.mistaken_for(*number, lifetime) {
                        *self.violations.of_mut(violation) += 1;
                    }
                }
                None => {}
            }
        }
        self.violations.never_removed += over;
        Settled {
            violations: self.violations,
            packets: self.packets,
            refreshes: self.refreshes,
            failed: self.failed,
            made: self.flows.iter().map(|(&flow, state)| (flow, state.made)).collect(),
            claimed: self.flows.iter().map(|(&flow, state)| (flow, state.claimed)).collect(),
        }
    }
}

impl Flow {
    /// Whether its entry has to be in the map at `now`.
    fn is_live_at(&self, now: u32) -> bool {
        self.believed.is_some_and(|lifetime| lifetime >= now)
    }

    fn mistaken(&self, handled: &Handled) -> Option<Violation> {
        // The element was another flow's by then: what it held says nothing of this one.
        if handled.seen == 0 {
            return None;
        }
        self.mistaken_for(handled.packet.flow, handled.seen)
    }

    /// What a lifetime that was found says, where another was written last: that of another flow was written there by
    /// mistake, an older one of this flow was brought back.
    fn mistaken_for(&self, flow: u32, seen: u32) -> Option<Violation> {
        if seen % TICK != flow % TICK {
            return Some(Violation::StrayWrite);
        }
        self.believed.filter(|&believed| seen < believed).map(|_| Violation::StaleRestore)
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
    /// Updates that the kernel refused at the time.
    pub failed: u64,
    made: HashMap<u32, u64>,
    claimed: HashMap<u32, u64>,
}

impl Settled {
    /// Joins the parts of a run whose packets and claims were told to several oracles, and then counts what collectors
    /// claim beyond what was there to remove.
    pub fn join(parts: Vec<Self>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            for violation in Violation::ALL {
                *whole.violations.of_mut(violation) += part.violations.of(violation);
            }
            whole.packets += part.packets;
            whole.refreshes += part.refreshes;
            whole.failed += part.failed;
            for (flow, made) in part.made {
                *whole.made.entry(flow).or_default() += made;
            }
            for (flow, claimed) in part.claimed {
                *whole.claimed.entry(flow).or_default() += claimed;
            }
        }
        // An entry can be removed as often as it was made.
        let excess = whole
            .claimed
            .iter()
            .map(|(flow, &claimed)| claimed.saturating_sub(whole.made.get(flow).copied().unwrap_or(0)));
        whole.violations.double_delete += excess.sum::<u64>();
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datapath::Packet;
    use crate::layout::Kind;

    const FLOW: u32 = 7;
    const TIMEOUT: u32 = 8;

    /// A lifetime that `flow` writes at `tick`.
    fn lifetime(flow: u32, tick: u32) -> u32 {
        (tick + TIMEOUT) * TICK + flow
    }

    fn at(tick: u32, outcome: Outcome, seen: u32) -> Handled {
        let kind = if outcome == Outcome::Created { Kind::Open } else { Kind::Data };
        let (flow, now) = (FLOW, tick * TICK);
        let packet = Packet { flow, kind };
        Handled { packet, now, seen, seen_backend: 0, lifetime: lifetime(FLOW, tick), outcome, errno: 0 }
    }

    /// A history of packets, and what is left in the map at `clock`.
    fn history(packets: &[Handled], clock: u32, left: &[(u32, u32)]) -> Violations {
        let mut oracle = Oracle::default();
        packets.iter().for_each(|packet| oracle.packet(packet));
        let settled = oracle.settle(clock * TICK, &left.iter().copied().collect(), 0);
        Settled::join(vec![settled]).violations
    }

    fn one(violation: Violation) -> Violations {
        let mut violations = Violations::default();
        *violations.of_mut(violation) = 1;
        violations
    }

    #[test]
    fn a_life_without_mishap() {
        let packets = [
            at(0, Outcome::Created, 0),
            at(5, Outcome::Stored, lifetime(FLOW, 0)),
            // Due, and refreshed before anybody came.
            at(20, Outcome::Replaced, lifetime(FLOW, 5)),
            at(21, Outcome::Left, lifetime(FLOW, 20)),
            // Over since tick 28: removed, dropped, opened again.
            at(40, Outcome::Missed, 0),
            at(40, Outcome::Missed, 0),
            at(41, Outcome::Created, 0),
        ];
        assert_eq!(history(&packets, 41, &[(FLOW, lifetime(FLOW, 41))]), Violations::default());
        // It may also expire, and be gone at the end.
        assert_eq!(history(&packets, 60, &[]), Violations::default());
    }

    #[test]
    fn a_refresh_is_lost_once_however_often_it_is_missed() {
        let packets = [
            at(0, Outcome::Created, 0),
            at(1, Outcome::Stored, lifetime(FLOW, 0)),
            at(2, Outcome::Missed, 0),
            at(3, Outcome::Missed, 0),
            at(3, Outcome::Created, 0),
        ];
        assert_eq!(history(&packets, 3, &[(FLOW, lifetime(FLOW, 3))]), one(Violation::LostRefresh));
        assert_eq!(history(&packets[..4], 3, &[]), one(Violation::LostRefresh));
    }

    #[test]
    fn a_refresh_that_nobody_misses_is_lost_at_the_end() {
        let packets = [at(0, Outcome::Created, 0), at(1, Outcome::Replaced, lifetime(FLOW, 0))];
        assert_eq!(history(&packets, 2, &[]), one(Violation::LostRefresh));
    }

    #[test]
    fn a_flow_opened_over_a_live_entry_that_is_gone_has_lost_it() {
        let packets = [at(0, Outcome::Created, 0), at(1, Outcome::Created, 0)];
        assert_eq!(history(&packets, 1, &[(FLOW, lifetime(FLOW, 1))]), one(Violation::LostRefresh));
    }

    #[test]
    fn what_comes_back_was_a_gap() {
        let packets = [
            at(0, Outcome::Created, 0),
            at(1, Outcome::Missed, 0),
            at(2, Outcome::Stored, lifetime(FLOW, 0)),
        ];
        assert_eq!(history(&packets, 2, &[(FLOW, lifetime(FLOW, 2))]), one(Violation::Gap));
        assert_eq!(history(&packets[..2], 2, &[(FLOW, lifetime(FLOW, 0))]), one(Violation::Gap));
    }

    #[test]
    fn a_lifetime_of_another_flow_is_a_stray_write() {
        let packets = [at(0, Outcome::Created, 0), at(1, Outcome::Stored, lifetime(FLOW + 1, 0))];
        assert_eq!(history(&packets, 1, &[(FLOW, lifetime(FLOW, 1))]), one(Violation::StrayWrite));
        assert_eq!(history(&packets[..1], 1, &[(FLOW, lifetime(FLOW + 1, 0))]), one(Violation::StrayWrite));
    }

    #[test]
    fn an_older_lifetime_was_restored() {
        let packets = [
            at(0, Outcome::Created, 0),
            at(3, Outcome::Stored, lifetime(FLOW, 0)),
            at(4, Outcome::Stored, lifetime(FLOW, 0)),
        ];
        assert_eq!(history(&packets, 4, &[(FLOW, lifetime(FLOW, 4))]), one(Violation::StaleRestore));
        assert_eq!(history(&packets[..2], 4, &[(FLOW, lifetime(FLOW, 0))]), one(Violation::StaleRestore));
    }

    #[test]
    fn an_entry_is_removed_as_often_as_it_was_made() {
        let made = |claims: usize| {
            let mut packets = Oracle::default();
            packets.packet(&at(0, Outcome::Created, 0));
            packets.packet(&at(20, Outcome::Created, 0));
            let mut gc = Oracle::default();
            (0..claims).for_each(|_| gc.claimed(FLOW));
            let left = HashMap::new();
            let parts = vec![packets.settle(60 * TICK, &left, 0), gc.settle(60 * TICK, &left, 0)];
            Settled::join(parts).violations
        };
        assert_eq!(made(2), Violations::default());
        assert_eq!(made(3), one(Violation::DoubleDelete));
    }

    #[test]
    fn what_no_round_removes_is_counted() {
        let settled = Oracle::default().settle(0, &HashMap::new(), 1);
        assert_eq!(Settled::join(vec![settled]).violations, one(Violation::NeverRemoved));
    }

    #[test]
    fn a_flow_whose_update_failed_is_believed_nothing_of() {
        let packets = [at(0, Outcome::Created, 0), at(1, Outcome::Failed, 0), at(2, Outcome::Missed, 0)];
        assert_eq!(history(&packets, 2, &[]), Violations::default());
    }
}
