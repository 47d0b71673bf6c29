// SPDX-License-Identifier: MIT OR Apache-2.0
//! stripes.h: one holder at a time, who sees what the holder before him did.
//!
//! What the stripe protects is a cell that loom watches: each access has to happen after the one before it, reads included. So
//! a load of the last holder that is done only after his `keep_drop()` would be found too, although loom reorders no loads.

use loom::{cell::UnsafeCell, sync::Arc, thread};

use crate::bpf::{Order, Stripe};

struct Shared {
    stripe: Stripe,
    turns: UnsafeCell<u32>,
}

/// Takes the stripe if it is to be had in time, and counts that under it: 1 or 0.
fn turn(shared: &Shared) -> u32 {
    if !shared.stripe.take() {
        return 0;
    }
    #[expect(unsafe_code, reason = "loom hands out a pointer, and looks at who has it")]
    // SAFETY: the pointer is used within the closure alone; loom fails the test where another has one at that time.
    shared.turns.with_mut(|turns| unsafe { *turns += 1 });
    shared.stripe.drop();
    1
}

fn contest(cpus: usize, take: Order, drop: Order) {
    let mut model = loom::model::Builder::new();
    // Three make too many executions for all of them.
    model.preemption_bound = (cpus > 2).then_some(2);
    model.check(move || {
        let shared = Arc::new(Shared { stripe: Stripe::with(take, drop), turns: UnsafeCell::new(0) });
        let others: Vec<_> = (1..cpus)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || turn(&shared))
            })
            .collect();
        let mine = turn(&shared);
        let taken: u32 = mine + others.into_iter().map(|other| other.join().unwrap()).sum::<u32>();
        assert!(taken >= 1, "nobody got a stripe that was free");
        #[expect(unsafe_code, reason = "as above")]
        // SAFETY: as above; all others have ended.
        let turns = shared.turns.with(|turns| unsafe { *turns });
        assert_eq!(turns, taken, "a turn is lost");
    });
}

#[test]
fn one_holds_it_and_sees_what_the_last_one_did() {
    contest(2, Order::Full, Order::Full);
}

#[test]
fn so_do_three_within_two_preemptions() {
    contest(3, Order::Full, Order::Full);
}

#[test]
fn who_waits_for_long_enough_goes_without() {
    loom::model(|| {
        let stripe = Arc::new(Stripe::new());
        assert!(stripe.take());
        let other = stripe.clone();
        assert!(!thread::spawn(move || other.take()).join().unwrap(), "two have it");
    });
}

/// What a kernel of 6.15 could have for less. The headers do not, as long as 6.1 is what they are for.
#[test]
fn acquire_and_release_would_do() {
    contest(2, Order::Half, Order::Half);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn control_a_swap_without_order_lets_the_section_begin_too_early() {
    contest(2, Order::None, Order::Full);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn control_a_volatile_store_lets_the_section_end_too_late() {
    contest(2, Order::Full, Order::None);
}
