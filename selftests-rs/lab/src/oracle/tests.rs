// SPDX-License-Identifier: MIT OR Apache-2.0

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
    let (began, seen_backend) = (u64::from(tick) * 1_000_000, if seen == 0 { 0 } else { backend_for(FLOW) });
    Handled { packet, now, began, seen, seen_backend, lifetime: lifetime(FLOW, tick), outcome, errno: 0 }
}

/// A history of packets, and what is left in the map at `clock`.
fn history(packets: &[Handled], clock: u32, left: &[(u32, u32)]) -> Violations {
    let mut oracle = Oracle::default();
    packets.iter().for_each(|packet| oracle.packet(packet));
    let settled = oracle.settle(clock * TICK, u64::MAX, &found(left), 0);
    Settled::join(vec![settled]).violations
}

fn found(left: &[(u32, u32)]) -> HashMap<u32, Left> {
    left.iter().map(|&(flow, lifetime)| (flow, Left { lifetime, backend: backend_for(flow) })).collect()
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
fn an_entry_is_live_in_its_last_tick_and_not_in_the_next() {
    for (late, lost) in [(0, 1), (1, 0)] {
        let mut oracle = Oracle::default();
        oracle.packet(&Handled { lifetime: TIMEOUT * TICK, ..at(0, Outcome::Created, 0) });
        oracle.packet(&Handled { now: TIMEOUT * TICK + late, ..at(TIMEOUT, Outcome::Missed, 0) });
        let settled = oracle.settle(u32::MAX, u64::MAX, &HashMap::new(), 0);
        assert_eq!(Settled::join(vec![settled]).violations.total(), lost, "{late}");
    }
}

#[test]
fn what_comes_back_was_a_gap() {
    let packets =
        [at(0, Outcome::Created, 0), at(1, Outcome::Missed, 0), at(2, Outcome::Stored, lifetime(FLOW, 0))];
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
        (0..claims).for_each(|_| gc.claimed(FLOW, 0, 0..=0));
        let left = HashMap::new();
        let parts = vec![packets.settle(60 * TICK, 0, &left, 0), gc.settle(60 * TICK, 0, &left, 0)];
        Settled::join(parts).violations
    };
    assert_eq!(made(2), Violations::default());
    assert_eq!(made(3), one(Violation::DoubleDelete));
}

#[test]
fn what_no_round_removes_is_counted() {
    let settled = Oracle::default().settle(0, 0, &HashMap::new(), 1);
    assert_eq!(Settled::join(vec![settled]).violations, one(Violation::NeverRemoved));
}

#[test]
fn a_packet_for_which_nothing_could_be_done_changes_nothing() {
    let packets = [at(0, Outcome::Created, 0), at(1, Outcome::Failed, 0), at(2, Outcome::Missed, 0)];
    assert_eq!(history(&packets, 2, &[]), one(Violation::LostRefresh));
}

#[test]
fn a_backend_of_another_flow_is_a_foreign_value_and_counts_once() {
    let foreign =
        |tick, seen| Handled { seen_backend: backend_for(FLOW + 1), ..at(tick, Outcome::Replaced, seen) };
    let packets = [
        at(0, Outcome::Created, 0),
        foreign(1, lifetime(FLOW, 0)),
        foreign(2, lifetime(FLOW, 1)),
        at(3, Outcome::Replaced, lifetime(FLOW, 2)),
    ];
    assert_eq!(history(&packets, 3, &[(FLOW, lifetime(FLOW, 3))]), one(Violation::ForeignValue));
    let left = Left { lifetime: lifetime(FLOW, 0), backend: backend_for(FLOW + 1) };
    let mut oracle = Oracle::default();
    oracle.packet(&packets[0]);
    let settled = oracle.settle(0, 0, &HashMap::from([(FLOW, left)]), 0);
    assert_eq!(Settled::join(vec![settled]).violations, one(Violation::ForeignValue));
}

#[test]
fn what_an_lru_map_evicted_is_nobodys_fault_and_what_gc_removed_is() {
    let run = |claim: Option<Span>| {
        let mut packets = Oracle::of_evicting();
        packets.packet(&at(0, Outcome::Created, 0));
        packets.packet(&at(1, Outcome::Stored, lifetime(FLOW, 0)));
        // It wrote nothing, but the entry was there.
        packets.packet(&at(2, Outcome::Left, lifetime(FLOW, 1)));
        packets.packet(&at(3, Outcome::Created, 0));
        let mut gc = Oracle::of_evicting();
        claim.into_iter().for_each(|when| gc.claimed(FLOW, 0, when));
        let left = found(&[(FLOW, lifetime(FLOW, 3))]);
        let parts = vec![packets.settle(3 * TICK, 3_000_000, &left, 0), gc.settle(0, 0, &HashMap::new(), 0)];
        let settled = Settled::join(parts);
        (settled.violations.lost_refresh, settled.evicted_live, settled.undecided)
    };
    assert_eq!(run(None), (0, 1, 0));
    assert_eq!(run(Some(2_400_000..=2_500_000)), (1, 0, 0));
    // Before the entry was last found: of an earlier life. After it was missed: of a later one.
    assert_eq!(run(Some(1_800_000..=1_900_000)), (0, 1, 0));
    assert_eq!(run(Some(3_400_000..=3_500_000)), (0, 1, 0));
    // It began before: what decides is by when it was done.
    assert_eq!(run(Some(1_900_000..=2_500_000)), (1, 0, 0));
    // It was at it when the packet missed the entry, and was held up before it looked at the clock.
    assert_eq!(run(Some(2_900_000..=3_500_000)), (0, 1, 1));
    assert_eq!(run(Some(1_900_000..=3_500_000)), (0, 1, 1));
    // The packet began, the removal came, and then the look-up.
    assert_eq!(run(Some(3_010_000..=3_500_000)), (0, 1, 1));
}

#[test]
fn what_would_have_been_seen_is_counted_once_for_each_refresh() {
    let mut oracle = Oracle::default();
    oracle.packet(&at(0, Outcome::Created, 0));
    oracle.packet(&at(1, Outcome::Left, lifetime(FLOW, 0)));
    oracle.packet(&at(2, Outcome::Left, lifetime(FLOW, 0)));
    oracle.packet(&at(3, Outcome::Stored, lifetime(FLOW, 0)));
    // It found nothing out.
    oracle.packet(&at(4, Outcome::Failed, 0));
    oracle.packet(&at(20, Outcome::Missed, 0));
    oracle.packet(&at(21, Outcome::Created, 0));
    let settled = oracle.settle(60 * TICK, 0, &HashMap::new(), 0);
    assert_eq!(settled.followed, Followed { in_time: 1, late: 1 });
}

#[test]
fn what_never_expires_is_removed_by_mistake() {
    let removed = |lifetime| {
        let mut gc = Oracle::of_evicting();
        gc.claimed(FIRST_STRANGER + 3, lifetime, 5..=6);
        Settled::join(vec![gc.settle(0, 0, &HashMap::new(), 0)]).violations
    };
    assert_eq!(removed(NEVER), one(Violation::LostRefresh));
    // A packet of another flow has written there.
    assert_eq!(removed(lifetime(FLOW, 1)), one(Violation::StrayWrite));
}
