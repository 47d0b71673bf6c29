// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two maps that take turns.

use super::*;

const PACKET: &[Step] = &[
    CLOCK,
    op("read_current", Op::ReadCurrent),
    op("look_up_current", Op::LookUpCurrent).on(&[(Outcome::Done, Then::End)]),
    op("read_previous", Op::ReadPrevious),
    op("look_up_previous", Op::LookUpPrevious).on(&[(Outcome::Missing, Then::Syn("create"))]),
    op("copy_over", Op::PutCurrent).then(Then::End),
    op("create", Op::PutCurrent),
];
const PREVIOUS: Step = op("swap_previous", Op::SwapPrevious);
const CURRENT: Step = op("swap_current", Op::SwapCurrent);
const GRACE: Step = op("grace", Op::Grace);
const GRACE_END: Step = op("grace_end", Op::GraceEnd).same_call();
const DROP: Step = op("drop", Op::DropPrevious);

#[test]
fn a_swap_that_waits_keeps_what_was_seen_for_a_whole_period() {
    let swap: &[Step] = &[CLOCK, PREVIOUS, CURRENT, GRACE, GRACE_END, DROP];
    assert!(explore(PACKET, swap).counterexamples.is_empty());
    assert!(explore_in(Circumstance::Spread, PACKET, swap).counterexamples.is_empty());
    assert!(finds(&explore_in(Circumstance::TwoCollectors, PACKET, swap), Violation::LostRefresh));
}

#[test]
fn the_current_map_first_hides_everybody_for_a_moment() {
    let swap: &[Step] = &[CLOCK, CURRENT, PREVIOUS, GRACE, GRACE_END, DROP];
    assert!(!explore(PACKET, swap).counterexamples.is_empty());
}
