// SPDX-License-Identifier: MIT OR Apache-2.0
//! What keeps others out: the lock in an element, a stripe, interrupts off, a word that changes as a whole.

use super::*;

const SYN: Step = op("look_up", Op::LookUp).on(&[(Outcome::Missing, Then::Syn("create"))]);
const AGAIN: Then = Then::Go("look_up");
const TAGGED: Step = op("locked_store", Op::LockedStoreTagged)
    .on(&[(Outcome::Dead, AGAIN), (Outcome::Other, AGAIN)])
    .then(Then::End);
const FOUND: Step = op("look_up", Op::LookUp).on(&[(Outcome::Missing, Then::End)]);
const MARK: Step = op("locked_mark", Op::LockedMark).on(&[
    (Outcome::Live, Then::End),
    (Outcome::Dead, Then::End),
    (Outcome::Other, Then::End),
]);
const JUDGE: Step = op("judge", Op::Judge).on(&[(Outcome::Live, Then::End)]);

const fn locked(create: Op) -> [Step; 4] {
    [CLOCK, SYN, TAGGED, op("create", create).on(&[(Outcome::Exists, AGAIN)])]
}

#[test]
fn a_tag_under_the_lock_says_whose_an_element_is_if_it_is_filled_under_that_lock() {
    let gc: &[Step] = &[CLOCK, FOUND, MARK, DELETE, FREE];
    assert!(explore(&locked(Op::CreateLocked), gc).counterexamples.is_empty());
    let plain = explore(&locked(Op::CreateNew), gc);
    assert!(finds(&plain, Violation::LostRefresh) && finds(&plain, Violation::StrayWrite));
    // The mark is cleared with the state, and the tag is still the old one.
    let lost = labels(&plain, Violation::LostRefresh);
    let at = |line: &str| {
        lost.iter().position(|known| known == line).unwrap_or_else(|| panic!("{line}: {lost:?}"))
    };
    assert!(at("other insert") < at("packet locked_store"));
}

#[test]
fn a_tag_that_two_flows_have_says_nothing() {
    let gc: &[Step] = &[CLOCK, FOUND, MARK, DELETE, FREE];
    let found = explore_in(Circumstance::Collision, &locked(Op::CreateLocked), gc);
    assert!(finds(&found, Violation::StrayWrite) && finds(&found, Violation::LostRefresh));
}

#[test]
fn whoever_deletes_for_a_mark_of_somebody_elses_deletes_what_came_after() {
    let careless = MARK.on(&[(Outcome::Live, Then::End), (Outcome::Other, Then::End)]);
    let two = |mark| {
        let gc = [CLOCK, FOUND, mark, DELETE, FREE];
        explore_in(Circumstance::TwoCollectors, &locked(Op::CreateLocked), &gc)
    };
    assert!(two(MARK).counterexamples.is_empty());
    let found = two(careless);
    assert!(finds(&found, Violation::LostRefresh) && !finds(&found, Violation::DoubleDelete));
}

#[test]
fn a_mark_that_is_not_taken_back_after_a_refusal_stays_for_ever() {
    let refused = |then| {
        let branches: &'static [(Outcome, Then)] = match then {
            Some(()) => &[(Outcome::Missing, Then::End), (Outcome::Failed, Then::Go("unmark"))],
            None => &[(Outcome::Missing, Then::End), (Outcome::Failed, Then::End)],
        };
        let unmark = op("unmark", Op::LockedUnmark);
        let gc = [CLOCK, FOUND, MARK, DELETE.on(branches), FREE.then(Then::End), unmark];
        explore(&locked(Op::CreateLocked), &gc)
    };
    assert!(refused(Some(())).counterexamples.is_empty());
    assert!(finds(&refused(None), Violation::NeverRemoved));
}

#[test]
fn a_stripe_keeps_an_update_out_of_check_and_delete() {
    const TAKE: Step = op("take", Op::TakeStripe);
    const DROP: Step = op("drop", Op::DropStripe);
    const OUT: Step = JUDGE.on(&[(Outcome::Live, Then::Go("drop"))]);
    const GONE: &[(Outcome, Then)] = &[(Outcome::Missing, Then::Go("drop"))];
    let packet: &[Step] = &[CLOCK, TAKE, REPLACE, FREE, DROP];
    let gc: &[Step] = &[CLOCK, TAKE, FOUND.on(GONE), OUT, DELETE.on(GONE), FREE, DROP];
    assert!(explore(packet, gc).counterexamples.is_empty());
    let without: &[Step] = &[CLOCK, FOUND, JUDGE, DELETE, FREE];
    assert!(finds(&explore(packet, without), Violation::LostRefresh));
    assert!(finds(&explore(UPDATES, gc), Violation::LostRefresh));
    // An agent does not take it.
    assert!(finds(&explore_in(Circumstance::AgentUpdates, packet, gc), Violation::LostRefresh));
    // What is not let go of keeps the other side waiting for ever.
    assert!(lab(packet, &gc[..2]).explore().unwrap_err().contains("stuck"));
}

#[test]
fn interrupts_off_keep_out_the_packets_of_that_cpu_alone() {
    const GONE: &[(Outcome, Then)] = &[(Outcome::Missing, Then::Go("unpin"))];
    const OUT: Step = JUDGE.on(&[(Outcome::Live, Then::Go("unpin"))]);
    let gc: &[Step] =
        &[CLOCK, op("pin", Op::Pin), FOUND.on(GONE), OUT, DELETE.on(GONE), FREE, op("unpin", Op::Unpin)];
    assert!(explore(STORES, gc).counterexamples.is_empty());
    let spread = explore_in(Circumstance::Spread, STORES, gc);
    assert!(finds(&spread, Violation::LostRefresh) && finds(&spread, Violation::StrayWrite));
    let without: &[Step] = &[CLOCK, FOUND, JUDGE, DELETE, FREE];
    assert!(finds(&explore(STORES, without), Violation::LostRefresh));
}

const WORD: Step = op("read_word", Op::ReadWord).on(&[(Outcome::Dead, AGAIN), (Outcome::Other, AGAIN)]);
const SWAP: Step =
    op("cas_store", Op::CasStore).on(&[(Outcome::Lost, Then::Go("read_word"))]).then(Then::End);
const CREATE: Step = op("create", Op::CreateNew).on(&[(Outcome::Exists, AGAIN)]);
const SWAPS: &[Step] = &[CLOCK, SYN, WORD, SWAP, CREATE];
const MARKS: &[Step] = &[
    CLOCK,
    FOUND,
    op("read_word", Op::ReadWord).on(&[
        (Outcome::Dead, Then::End),
        (Outcome::Other, Then::End),
        (Outcome::Live, Then::End),
    ]),
    op("cas_mark", Op::CasMark).on(&[(Outcome::Lost, Then::End)]),
    DELETE,
    FREE,
];

#[test]
fn a_word_that_changes_as_a_whole_needs_no_lock_until_somebody_evicts() {
    assert!(explore(SWAPS, MARKS).counterexamples.is_empty());
    assert!(explore_in(Circumstance::Spread, SWAPS, MARKS).counterexamples.is_empty());
    assert!(finds(&explore_on(Recycling::Evicting, SWAPS, MARKS), Violation::LostRefresh));
    // A store that does not look at the word comes in between.
    let stores: &[Step] = &[CLOCK, SYN, WORD, STORE.then(Then::End), CREATE];
    assert!(finds(&explore(stores, MARKS), Violation::LostRefresh));
}

#[test]
fn the_lock_in_an_element_keeps_nobody_out_who_does_not_take_it() {
    assert!(finds(&explore(&locked(Op::CreateLocked), MARKS), Violation::LostRefresh));
}

/// Marked, evicted, made anew by a SYN: the delete by key takes the new one. No packet writes through a pointer here.
#[test]
fn a_mark_says_nothing_of_the_entry_that_comes_after_an_eviction() {
    let opens: &[Step] = &[CLOCK, SYN.then(Then::Drop), CREATE.on(&[(Outcome::Exists, Then::Drop)])];
    assert!(explore(opens, MARKS).counterexamples.is_empty());
    let found = explore_on(Recycling::Evicting, opens, MARKS);
    let lines = labels(&found, Violation::LostRefresh);
    let at = |line: &str| {
        lines.iter().position(|known| known == line).unwrap_or_else(|| panic!("{line}: {lines:?}"))
    };
    let order = ["lru evict", "packet create", "gc delete"].map(at);
    assert!(order.is_sorted() && at("gc look_up") < order[0], "{lines:?}");
}
