// SPDX-License-Identifier: MIT OR Apache-2.0
//! What elements carry, and when somebody else gets them.

use super::*;

const COPY_VALUE: Step = op("copy_value", Op::CopyValue);
const SYN: Step = op("look_up", Op::LookUp).on(&[(Outcome::Missing, Then::Syn("create"))]);
const CREATE: Step = op("create", Op::Create);
const CHECK: Step = op("look_up_again", Op::LookUpChecked).on(&[(Outcome::Other, Then::Go("look_up"))]);
const LAST: Step = FREE.then(Then::End);
const COPIES: &[Step] = &[CLOCK, SYN, COPY_VALUE, REPLACE.then(Then::Go("free")), CREATE, LAST];
const CHECKS: &[Step] = &[CLOCK, SYN, COPY_VALUE, CHECK, REPLACE.then(Then::Go("free")), CREATE, LAST];

#[test]
fn a_copy_through_a_pointer_may_be_another_flows() {
    assert!(finds(&explore(COPIES, COMPARES), Violation::ForeignValue));
    // Never freed, hence never another's.
    assert!(!finds(&explore(COPIES, &[CLOCK, COPY, COMPARE, UNLINK]), Violation::ForeignValue));
    // Not read, hence not carried on.
    assert!(!finds(&explore(UPDATES, COMPARES), Violation::ForeignValue));
}

/// The element is B's and then A's again, so that the second look finds what the first one did; the copy in between had B's
/// state and, as yet, A's tag. For A to come back another packet has to run.
#[test]
fn a_copy_that_is_checked_is_foreign_only_if_its_element_comes_back() {
    assert!(explore(CHECKS, COMPARES).counterexamples.is_empty());
    let found = explore_in(Circumstance::Spread, CHECKS, COMPARES);
    let lines = labels(&found, Violation::ForeignValue);
    let at = |line: &str| {
        lines.iter().position(|known| known == line).unwrap_or_else(|| panic!("{line}: {lines:?}"))
    };
    let order = [
        "other insert",
        "packet copy_value",
        "other fill",
        "other remove",
        "packet2 create",
        "packet look_up_again",
    ];
    let swapped: Vec<_> = order.iter().map(|line| line.replace("packet2", "packet")).collect();
    let ordered = |lines: &[String]| lines.windows(2).all(|pair| at(&pair[0]) < at(&pair[1]));
    let plain: Vec<_> = order.iter().map(ToString::to_string).collect();
    assert!(ordered(&plain) || ordered(&swapped), "{lines:?}");
}

/// What the new value is made of is what is compared: whatever came in between, equal bytes are this flow's. The lifetime alone may
/// come back, with another state beside it.
#[test]
fn a_copy_that_is_compared_as_a_whole_is_never_foreign() {
    const AGAIN: &[(Outcome, Then)] =
        &[(Outcome::Differs, Then::Go("look_up")), (Outcome::Missing, Then::Go("look_up"))];
    let comparing = |window| {
        let replace = REPLACE.same_call().then(Then::Go("free"));
        [CLOCK, SYN, COPY_VALUE, op("compare", window).on(AGAIN), replace, CREATE, LAST]
    };
    let (whole, lifetime) = (comparing(Op::CompareValue), comparing(Op::Compare));
    for recycling in [Recycling::Parked, Recycling::AtOnce, Recycling::Evicting] {
        assert!(explore_on(recycling, &whole, COMPARES).counterexamples.is_empty(), "{recycling:?}");
        for worse in [Circumstance::Spread, Circumstance::Collision, Circumstance::AgentUpdates] {
            let lab = |packet: &[Step]| lab_on(recycling, packet, COMPARES).in_circumstance(worse).unwrap();
            assert!(lab(&whole).explore().unwrap().counterexamples.is_empty(), "{recycling:?}, {worse:?}");
            let foreign = finds(&lab(&lifetime).explore().unwrap(), Violation::ForeignValue);
            assert_eq!(foreign, worse != Circumstance::Collision, "{recycling:?}, {worse:?}");
        }
    }
}

#[test]
fn an_lru_map_takes_an_element_away_from_a_store_but_not_from_an_update() {
    let idle: &[Step] = &[CLOCK, COPY, COMPARE, UNLINK];
    let stores = explore_on(Recycling::Evicting, STORES, idle);
    assert!(finds(&stores, Violation::LostRefresh) && finds(&stores, Violation::StrayWrite));
    assert!(stores.counterexamples[&Violation::StrayWrite].iter().any(|line| line.label == "evict"));
    assert!(explore_on(Recycling::Evicting, UPDATES, COMPARES).counterexamples.is_empty());
}

/// The packet wrote to what the map had taken away, and nobody collects: there is nobody to blame but the map.
#[test]
fn what_eviction_takes_away_no_collector_has_lost() {
    let never: &[Step] = &[CLOCK];
    let found = explore_on(Recycling::Evicting, STORES, never);
    assert!(!finds(&found, Violation::LostRefresh) && finds(&found, Violation::StrayWrite));
}

#[test]
fn an_element_that_waits_for_readers_takes_no_stray_write() {
    let found = explore_on(Recycling::AfterGrace, STORES, COMPARES);
    assert!(finds(&found, Violation::LostRefresh) && !finds(&found, Violation::StrayWrite));
}

#[test]
fn an_update_in_place_comes_too_late_where_one_that_links_does_not() {
    assert!(explore_on(Recycling::AtOnce, UPDATES, COMPARES).counterexamples.is_empty());
    let found = explore_on(Recycling::AfterGrace, UPDATES, COMPARES);
    let lines = labels(&found, Violation::LostRefresh);
    let at = |line: &str| {
        lines.iter().position(|known| known == line).unwrap_or_else(|| panic!("{line}: {lines:?}"))
    };
    assert!(at("packet replace") < at("gc unlink") && at("gc compare") < at("packet replace.in_place"));
}

/// Nobody waits for a program that may sleep, so its pointer may lead to what somebody else has by now.
#[test]
fn an_element_does_not_wait_for_a_program_that_sleeps() {
    let found = op("look_up", Op::LookUp).on(&[(Outcome::Missing, Then::End)]);
    let marks: &[Step] = &[CLOCK, found, op("mark", Op::LockedMark)];
    let packet: &[Step] = &[CLOCK, op("delete", Op::Delete).on(&[(Outcome::Missing, Then::End)]), FREE];
    let lab = lab_on(Recycling::AfterGrace, packet, marks);
    assert!(!finds(&lab.clone().explore().unwrap(), Violation::StrayWrite));
    assert!(finds(&lab.sleepable().explore().unwrap(), Violation::StrayWrite));
}

/// Judged first, the key may be that of the next owner, who is live; copied first, it is the judged one's.
#[test]
fn a_key_in_an_element_is_the_next_owners_by_the_time_of_the_delete() {
    let visit = op("visit", Op::LookUp).on(&[(Outcome::Missing, Then::End)]);
    let judge = op("judge", Op::Judge).on(&[(Outcome::Live, Then::End)]);
    let key = op("copy_key", Op::CopyKey);
    let removes_b = |gc: &[Step]| {
        // Packets only delete, so that nothing of A's can be lost.
        let packet: &[Step] = &[CLOCK, op("delete", Op::Delete).on(&[(Outcome::Missing, Then::End)]), FREE];
        finds(&explore(packet, gc), Violation::LostRefresh)
    };
    assert!(removes_b(&[CLOCK, visit, judge, key, DELETE, FREE]));
    // Nor is it enough to copy it first, while a new owner has filled his key and not yet his lifetime.
    assert!(removes_b(&[CLOCK, visit, key, judge, DELETE, FREE]));
    assert!(!removes_b(&[CLOCK, visit, judge, DELETE, FREE]));
}

#[test]
fn who_follows_no_protocol_is_found_by_name() {
    let by = |circumstance| explore_in(circumstance, UPDATES, COMPARES);
    assert!(!finds(&by(Circumstance::AgentUpdates), Violation::LostRefresh));
    assert!(finds(&by(Circumstance::AgentStores), Violation::StrayWrite));
    assert!(finds(&by(Circumstance::HandDeletes), Violation::LostRefresh));
    let found = by(Circumstance::HandDeletes);
    assert!(found.counterexamples[&Violation::LostRefresh].iter().any(|line| line.actor == "agent"));
}
