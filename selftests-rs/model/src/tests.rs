// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tiny protocols whose answers are known by thought: each violation is found where it has to be, and not where the
//! protocol is right.

mod elements;
mod locks;
mod turns;

use crate::dsl::{Op, Outcome, Step, Then, has_gate};
use crate::{Lab, Program, Recycling, START, Steering};
use results::races::{Circumstance, Model, Violation};

const CLOCK: Step = op("read_clock", Op::ReadClock);
const LOOK_UP: Step = op("look_up", Op::LookUp).on(&[(Outcome::Missing, Then::Drop)]);
const STORE: Step = op("store", Op::Store);
const REPLACE: Step = op("replace", Op::Replace);
const FREE: Step = op("free", Op::Free).same_call();
const COPY: Step = op("copy", Op::Copy).on(&[(Outcome::Live, Then::End), (Outcome::Missing, Then::End)]);
const DELETE: Step = op("delete", Op::Delete).on(&[(Outcome::Missing, Then::End)]).reports(Outcome::Done);
const COMPARE: Step =
    op("compare", Op::Compare).on(&[(Outcome::Differs, Then::End), (Outcome::Missing, Then::End)]);
const UNLINK: Step = op("unlink", Op::Unlink).same_call().reports(Outcome::Done);

/// A packet that never holds a pointer, and a gc whose check and removal are one critical section.
const UPDATES: &[Step] = &[CLOCK, REPLACE, FREE];
const COMPARES: &[Step] = &[CLOCK, COPY, COMPARE, UNLINK, FREE];
/// A packet that does.
const STORES: &[Step] = &[CLOCK, LOOK_UP, STORE];

const fn op(label: &'static str, op: Op) -> Step {
    Step::new(label, "", op)
}

fn lab(packet: &[Step], gc: &[Step]) -> Lab {
    lab_on(Recycling::AtOnce, packet, gc)
}

fn lab_on(recycling: Recycling, packet: &[Step], gc: &[Step]) -> Lab {
    let packet = Program::packet(packet).unwrap();
    Lab::new(packet, Program::gc(gc, false).unwrap(), recycling, Steering::Pinned)
}

fn explore_on(recycling: Recycling, packet: &[Step], gc: &[Step]) -> Model {
    lab_on(recycling, packet, gc).explore().unwrap()
}

fn explore_in(circumstance: Circumstance, packet: &[Step], gc: &[Step]) -> Model {
    lab(packet, gc).in_circumstance(circumstance).unwrap().explore().unwrap()
}

fn explore(packet: &[Step], gc: &[Step]) -> Model {
    lab(packet, gc).explore().unwrap()
}

fn finds(found: &Model, violation: Violation) -> bool {
    found.counterexamples.contains_key(&violation)
}

/// Who did what, without the first line.
fn labels(found: &Model, violation: Violation) -> Vec<String> {
    let schedule = &found.counterexamples[&violation];
    assert_eq!(schedule[0].actor, START);
    schedule[1..].iter().map(|step| format!("{} {}", step.actor, step.label)).collect()
}

#[test]
fn a_right_protocol_is_found_right_in_more_than_a_handful_of_states() {
    for recycling in [Recycling::Parked, Recycling::AtOnce] {
        let packet = Program::packet(UPDATES).unwrap();
        let gc = Program::gc(COMPARES, false).unwrap();
        for steering in [Steering::Pinned, Steering::Spread] {
            let lab = Lab::new(packet.clone(), gc.clone(), recycling, steering);
            for found in [lab.clone().explore().unwrap(), lab.with_store_buffers().explore().unwrap()] {
                assert!(found.counterexamples.is_empty(), "{recycling:?} {steering:?} {found:#?}");
                assert!(found.counterexample.is_none() && found.states > 500, "{} states", found.states);
            }
        }
    }
}

#[test]
fn a_refresh_between_check_and_removal_is_lost_in_the_shortest_schedule() {
    let found = explore(UPDATES, &[CLOCK, COPY, DELETE, FREE]);
    assert_eq!(
        labels(&found, Violation::LostRefresh),
        [
            "packet read_clock",
            "gc read_clock",
            "gc copy",
            "packet replace",
            "packet free",
            "gc delete",
            "gc free"
        ]
    );
    assert_eq!(found.counterexample.as_ref(), found.counterexamples.get(&Violation::LostRefresh));
}

#[test]
fn a_stray_write_takes_a_pointer_and_an_element_that_is_used_again() {
    assert!(finds(&explore(STORES, COMPARES), Violation::StrayWrite));
    // Never freed, hence never another's.
    assert!(!finds(&explore(STORES, &[CLOCK, COPY, COMPARE, UNLINK]), Violation::StrayWrite));
    assert!(!finds(&explore(UPDATES, COMPARES), Violation::StrayWrite));
}

#[test]
fn what_is_put_back_is_stale_if_a_pointer_was_written_through_meanwhile() {
    let take = op("take", Op::TakeCopy).on(&[(Outcome::Missing, Then::End)]);
    let restores: &[Step] = &[CLOCK, take, op("unlink", Op::Unlink).same_call(), op("restore", Op::Restore)];
    assert!(finds(&explore(STORES, restores), Violation::StaleRestore));
    let found = explore(UPDATES, restores);
    assert!(!finds(&found, Violation::StaleRestore));
    assert!(finds(&found, Violation::Gap));
    assert!(!finds(&explore(UPDATES, COMPARES), Violation::Gap));
}

#[test]
fn two_rounds_that_claim_before_they_delete_claim_too_much() {
    let claim = op("look_up", Op::LookUp).on(&[(Outcome::Missing, Then::End)]).reports(Outcome::Done);
    let delete = op("delete", Op::Delete).on(&[(Outcome::Missing, Then::End)]);
    assert!(finds(&explore(UPDATES, &[CLOCK, claim, delete, FREE]), Violation::DoubleDelete));
    assert!(!finds(&explore(UPDATES, &[CLOCK, COPY, DELETE, FREE]), Violation::DoubleDelete));
}

#[test]
fn a_round_that_only_looks_removes_nothing() {
    let found = explore(UPDATES, &[CLOCK, COPY]);
    assert_eq!(labels(&found, Violation::NeverRemoved), ["gc read_clock", "gc copy"]);
    assert!(!finds(&explore(UPDATES, COMPARES), Violation::NeverRemoved));
}

#[test]
fn a_grace_period_waits_for_packets_that_ran_when_it_began() {
    // Whoever judged by an earlier clock has ended: a store in place, which only a live entry gets, is in the copy.
    let packet = Program::packet(&[
        CLOCK,
        LOOK_UP,
        op("judge", Op::Judge).on(&[(Outcome::Expired, Then::Drop)]),
        STORE,
    ])
    .unwrap();
    let never_freed: &[Step] = &[CLOCK, COPY, DELETE];
    let lost = |grace| {
        let gc = Program::gc(never_freed, grace).unwrap();
        let lab = Lab::new(packet.clone(), gc, Recycling::AtOnce, Steering::Pinned).with_store_buffers();
        finds(&lab.explore().unwrap(), Violation::LostRefresh)
    };
    assert!(lost(false) && !lost(true));
}

/// Each side writes its word and then reads the other's: the packet the lifetime and the link, gc the link and the
/// lifetime. One of them has to see the other, unless both writes wait in a buffer.
#[test]
fn store_buffers_let_both_sides_miss_each_other_and_full_barriers_do_not() {
    let link = op("look_up_again", Op::LookUpAgain).on(&[(Outcome::Same, Then::End)]);
    let judge = |op| Step::new("judge", "", op).on(&[(Outcome::Live, Then::Go("restore"))]).then(Then::End);
    let gc = |read| {
        let pointer = op("look_up", Op::LookUp).on(&[(Outcome::Missing, Then::End)]);
        [CLOCK, COPY, pointer, DELETE, judge(read), op("restore", Op::Restore)]
    };
    let packet = |write| [CLOCK, LOOK_UP, op("write", write), link, REPLACE];
    let plain = lab(&packet(Op::Store), &gc(Op::Judge));
    let fenced = lab(&packet(Op::Exchange), &gc(Op::LockedMark));
    let lost = |lab: Lab| finds(&lab.explore().unwrap(), Violation::LostRefresh);
    assert!(!lost(plain.clone()) && lost(plain.with_store_buffers()));
    assert!(!lost(fenced.clone()) && !lost(fenced.with_store_buffers()));
    // A barrier on one side alone does not help.
    assert!(lost(lab(&packet(Op::Exchange), &gc(Op::Judge)).with_store_buffers()));
    assert!(lost(lab(&packet(Op::Store), &gc(Op::LockedMark)).with_store_buffers()));
}

#[test]
fn a_lock_that_nobody_drops_is_an_error_and_so_is_a_label_that_nobody_has() {
    let take = op("take", Op::TakeCopy).on(&[(Outcome::Missing, Then::End)]);
    assert!(lab(UPDATES, &[CLOCK, take]).explore().unwrap_err().contains("stuck"));
    assert!(Program::packet(&[CLOCK, LOOK_UP.then(Then::Go("nowhere"))]).unwrap_err().contains("nowhere"));
    assert!(Program::gc(&[COPY], true).is_err());
}

#[test]
fn a_replay_can_ask_which_steps_have_a_gate() {
    assert!(has_gate(COMPARES, "compare"));
    assert!(!has_gate(COMPARES, "unlink") && !has_gate(COMPARES, "tick"));
}
