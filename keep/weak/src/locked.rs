// SPDX-License-Identifier: MIT OR Apache-2.0
//! locked.h: a word under the `bpf_spin_lock` in the value. A store that finds its own tag there is not lost and hits nobody else.

use std::sync::Arc;

use loom::thread;

use crate::{
    bpf::{Order, SpinLock, Word},
    kernel::{A, ARM64, B, Flow, Map, Value},
};

/// `KEEP_DYING_MARK`.
const MARK: u64 = 1 << 31;
/// Below this, an entry has expired.
const NOW: u64 = 7;

/// The map, and the value of the one element that it has. Its word is plain to the programs, in two halves.
struct Shared {
    map: Map,
    lock: SpinLock,
    until: Word,
    tag: Word,
}

impl Shared {
    fn new(take: Order, drop: Order) -> Self {
        Self {
            map: Map::new(ARM64, Value::new(A, 0), Word::without_turn),
            lock: SpinLock::with(take, drop),
            until: Word::new(5),
            tag: Word::new(A),
        }
    }

    /// The example in locked.h. Was A refreshed?
    fn refresh(&self) -> bool {
        if self.map.look_up().is_none() {
            return false;
        }
        self.lock.lock();
        // keep_owner() == KEEP_OURS
        let ours = self.tag.load(false) == A;
        if ours {
            // keep_later()
            self.until.store(self.until.load(false).max(9), false);
        }
        self.lock.unlock();
        ours
    }

    /// `keep_mark()`, and the delete by key. Is A gone?
    fn collect(&self) -> bool {
        self.lock.lock();
        let mark = self.tag.load(false) == A && self.until.load(false) < NOW;
        if mark {
            self.tag.store(A | MARK, false);
        }
        self.lock.unlock();
        mark && self.map.delete().is_ok()
    }

    /// The element's next owner, B or A once more: `copy_map_value_locked()` for `BPF_F_LOCK`. Older kernels take no lock here.
    fn hand_on(&self, next: Flow, locks: bool) {
        self.map.fill(0, next, Value::new(next, 0));
        if locks {
            self.lock.lock();
        }
        self.until.store(20, false);
        self.tag.store(next, false);
        if locks {
            self.lock.unlock();
        }
    }
}

fn packet_and_collector(take: Order, drop: Order, next: Flow, fills_locked: bool) {
    loom::model(move || {
        let shared = Arc::new(Shared::new(take, drop));
        let collector = {
            let shared = shared.clone();
            thread::spawn(move || {
                let gone = shared.collect();
                if gone {
                    shared.hand_on(next, fills_locked);
                }
                gone
            })
        };
        let refreshed = shared.refresh();
        let gone = collector.join().unwrap();
        let until = shared.until.load(false);
        // Whoever refreshes A's next entry has refreshed A.
        assert!(!refreshed || !gone || next == A, "a refresh is lost");
        assert_eq!(until, if gone { 20 } else { 9 }, "the next owner's lifetime is overwritten");
        assert!(refreshed || gone, "nobody found what was there");
    });
}

#[test]
fn a_refresh_is_kept_and_overwrites_nothing() {
    packet_and_collector(Order::Half, Order::Half, B, true);
    packet_and_collector(Order::Half, Order::Half, A, true);
}

#[test]
#[should_panic(expected = "a refresh is lost")]
fn control_a_lock_that_does_not_acquire_hides_the_mark() {
    packet_and_collector(Order::None, Order::Half, B, true);
}

#[test]
#[should_panic(expected = "a refresh is lost")]
fn control_so_does_an_unlock_that_does_not_release() {
    packet_and_collector(Order::Half, Order::None, B, true);
}

/// Older kernels.
#[test]
#[should_panic(expected = "the next owner's lifetime is overwritten")]
fn control_an_element_filled_without_its_lock_loses_its_lifetime() {
    packet_and_collector(Order::Half, Order::Half, A, false);
}
