// SPDX-License-Identifier: MIT OR Apache-2.0
//! half-life.h beside collect.h: a refresh and a removal under one stripe, also while the map evicts. Nothing that lives is removed,
//! nothing that was refreshed loses its lifetime, and a collector deletes what it has judged.

use std::sync::Arc;

use loom::thread;

use crate::{
    bpf::{Order, Stripe, Word, keep_fence},
    kernel::{A, ARM64, B, Flags, Kernel, Map, Value, state_of, tag, until, word},
};

/// Below this, an entry has expired.
const THRESHOLD: u64 = 7;
/// The first entry of A has.
const FIRST: Value = Value::new(A, 5);

struct Shared {
    stripe: Stripe,
    map: Map,
    flags: Flags,
}

impl Shared {
    fn new(kernel: Kernel, stripe: Stripe, flags: Flags) -> Arc<Self> {
        Arc::new(Self { stripe, map: Map::new(kernel, FIRST, Word::new), flags })
    }

    /// A packet that is due, as `refresh()` in `keep/examples/conntrack.bpf.c`. Was the entry refreshed? The element of the old
    /// one goes to B, at once, as on this CPU a HASH map's does with the next update.
    fn refresh(&self, new: usize, lifetime: u32, takes: bool) -> bool {
        if takes && !self.stripe.take() {
            return false;
        }
        let old = self.replace(new, lifetime);
        if takes {
            self.stripe.drop();
        }
        if let Some(Some(old)) = old {
            self.map.fill(old, B, Value::new(B, 1));
        }
        old.is_some()
    }

    /// `keep_read()`, with one of its `KEEP_TRIES`, and `keep_replace()`.
    fn replace(&self, new: usize, lifetime: u32) -> Option<Option<usize>> {
        let entry = self.map.look_up()?;
        let copy = self.map.copy(entry);
        keep_fence();
        if self.map.look_up() != Some(entry) || tag(copy.word) != A {
            return None;
        }
        // keep_later(): a packet that comes late takes nothing from a lifetime.
        let later = if until(copy.word) > lifetime.into() { copy.word } else { word(lifetime, A) };
        let old = self.map.update(new, Value { word: later, ..copy }, self.flags).ok()?;
        assert!(copy.state == state_of(A), "another's value is published as A's");
        Some(old)
    }

    /// `keep_collect()`, or, if the word is to be the one that was seen, `keep_delete()`.
    fn remove(&self, seen: Option<u64>) {
        if !self.stripe.take() {
            return;
        }
        if let Some(entry) = self.map.look_up() {
            let judged = self.map.load_word(entry);
            let goes = seen.map_or(until(judged) < THRESHOLD, |seen| judged == seen);
            if goes && let Ok(deleted) = self.map.delete() {
                assert!(deleted == entry && judged == FIRST.word, "deleted is what was not judged");
            }
        }
        self.stripe.drop();
    }

    /// At the end, when nobody else is there.
    fn assert_lives(&self, lifetime: u64) {
        let there = self.map.look_up().map(|entry| until(self.map.load_word(entry)));
        assert_eq!(there, Some(lifetime), "a refresh is lost");
    }
}

/// A packet and a collector, or one that deletes by what it saw.
fn packet_and_remover(stripe: fn() -> Stripe, takes: bool, seen: Option<u64>) {
    loom::model(move || {
        let shared = Shared::new(ARM64, stripe(), Flags::Any);
        let remover = {
            let shared = shared.clone();
            thread::spawn(move || shared.remove(seen))
        };
        let refreshed = shared.refresh(1, 9, takes);
        remover.join().unwrap();
        if refreshed {
            shared.assert_lives(9);
        }
    });
}

/// Two packets of one flow on two CPUs, one of which read its clock long ago.
fn two_packets(stripe: fn() -> Stripe) {
    loom::model(move || {
        let shared = Shared::new(ARM64, stripe(), Flags::Any);
        let late = {
            let shared = shared.clone();
            thread::spawn(move || shared.refresh(1, 9, true))
        };
        let refreshed = shared.refresh(2, 11, true);
        late.join().unwrap();
        if refreshed {
            shared.assert_lives(11);
        }
    });
}

/// All three: a packet, a collector, and a map that evicts the first element of A and hands it on.
fn while_the_map_evicts(kernel: Kernel, packet: bool) {
    let mut bounded = loom::model::Builder::new();
    bounded.preemption_bound = Some(3);
    bounded.check(move || {
        let shared = Shared::new(kernel, Stripe::new(), Flags::Exist);
        let collector = {
            let shared = shared.clone();
            thread::spawn(move || shared.remove(None))
        };
        let lru = {
            let shared = shared.clone();
            thread::spawn(move || shared.map.evict(0, Value::new(B, 1)))
        };
        let refreshed = packet && shared.refresh(1, 9, true);
        collector.join().unwrap();
        lru.join().unwrap();
        if refreshed {
            shared.assert_lives(9);
        }
    });
}

fn takes_without_order() -> Stripe {
    Stripe::with(Order::None, Order::Full)
}

fn drops_without_order() -> Stripe {
    Stripe::with(Order::Full, Order::None)
}

#[test]
fn a_collector_spares_what_was_refreshed() {
    packet_and_remover(Stripe::new, true, None);
}

#[test]
fn a_delete_spares_what_is_not_what_it_saw() {
    packet_and_remover(Stripe::new, true, Some(FIRST.word));
}

#[test]
#[should_panic(expected = "deleted is what was not judged")]
fn control_a_stripe_taken_without_order_lets_it_judge_the_old_entry() {
    packet_and_remover(takes_without_order, true, None);
}

#[test]
#[should_panic(expected = "deleted is what was not judged")]
fn control_so_does_one_dropped_by_a_volatile_store() {
    packet_and_remover(drops_without_order, true, None);
}

#[test]
#[should_panic(expected = "deleted is what was not judged")]
fn control_so_does_a_packet_without_the_stripe() {
    packet_and_remover(Stripe::new, false, None);
}

#[test]
fn a_late_packet_takes_nothing_from_a_lifetime() {
    two_packets(Stripe::new);
}

#[test]
#[should_panic(expected = "a refresh is lost")]
fn control_it_does_under_a_stripe_dropped_by_a_volatile_store() {
    two_packets(drops_without_order);
}

/// The word that is judged may be B's by then. The delete is by A's key, under the lock of the bucket, and finds nothing.
#[test]
fn a_collector_deletes_what_it_judged_while_the_map_evicts() {
    while_the_map_evicts(ARM64, true);
}

#[test]
#[should_panic(expected = "deleted is what was not judged")]
fn control_it_takes_a_lock_that_acquires() {
    while_the_map_evicts(Kernel { lock_acquires: false, ..ARM64 }, false);
}
