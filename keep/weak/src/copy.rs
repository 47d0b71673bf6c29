// SPDX-License-Identifier: MIT OR Apache-2.0
//! value.h and half-life.h: a copy whose element and tag are checked after it, and the replacement that is made of it.
//!
//! The stripe is held, so nobody makes or replaces A's entry. But an LRU map evicts without a stripe, and gives the element to
//! B on another CPU. A value that is published as A's has to be A's.

use std::sync::Arc;

use loom::thread;

use crate::{
    bpf::{Word, keep_fence},
    kernel::{A, ARM64, B, Flags, IN_ORDER, Kernel, Map, Value, state_of, tag, until, word},
};

/// What a packet does, and what a control leaves out.
#[derive(Clone, Copy)]
struct Packet {
    fence: bool,
    looks_again: bool,
    checks_tag: bool,
    flags: Flags,
}

const HEADERS: Packet = Packet { fence: true, looks_again: true, checks_tag: true, flags: Flags::Any };
/// With `KEEP_REPLACE_FLAGS` as half-life.h wants it for LRU maps on arm64.
const EXISTING: Packet = Packet { flags: Flags::Exist, ..HEADERS };

/// Whose tag B has: one in 2^31 has A's.
const TAGS: [u64; 2] = [B, A];

fn refresh(map: &Map, packet: Packet) {
    // keep_read(): one of its KEEP_TRIES. The next one begins anew.
    let Some(entry) = map.look_up() else { return };
    // keep_copy(): KEEP_COPY(copy, entry); keep_fence();
    let copy = map.copy(entry);
    if packet.fence {
        keep_fence();
    }
    // bpf_map_lookup_elem(map, key) == entry && copy->KEEP_WORD.tag == tag
    if packet.looks_again && map.look_up() != Some(entry) {
        return;
    }
    if packet.checks_tag && tag(copy.word) != A {
        return;
    }
    // copy.word.until = keep_later(...); keep_replace()
    let later = word(9, tag(copy.word));
    if map.update(1, Value { word: later, ..copy }, packet.flags).is_ok() {
        assert!(copy.state == state_of(A) && until(copy.word) == 5, "another's value is published as A's");
    }
}

fn beside_eviction(kernel: Kernel, packet: Packet, tag_of_b: u64) {
    loom::model(move || {
        let map = Arc::new(Map::new(kernel, Value::new(A, 5), Word::without_turn));
        let lru = {
            let map = map.clone();
            thread::spawn(move || map.evict(0, Value { word: word(7, tag_of_b), ..Value::new(B, 7) }))
        };
        refresh(&map, packet);
        lru.join().unwrap();
    });
}

#[test]
fn a_checked_copy_is_whole_where_stores_keep_their_order() {
    TAGS.into_iter().for_each(|tag| beside_eviction(IN_ORDER, HEADERS, tag));
}

#[test]
#[should_panic(expected = "another's value is published")]
fn control_without_the_fence_the_second_look_comes_too_early() {
    beside_eviction(IN_ORDER, Packet { fence: false, ..HEADERS }, A);
}

/// The tag says it of the word, and of nothing beside the word.
#[test]
#[should_panic(expected = "another's value is published")]
fn control_without_the_second_look_the_tag_says_too_little() {
    beside_eviction(IN_ORDER, Packet { looks_again: false, ..HEADERS }, B);
}

/// On arm64 the new value can be seen before the unlinking: the second look finds what the first one did. Hence
/// `KEEP_REPLACE_FLAGS`.
#[test]
#[should_panic(expected = "another's value is published")]
fn a_checked_copy_may_be_anothers_where_stores_are_reordered() {
    beside_eviction(ARM64, HEADERS, B);
}

/// The lock of the bucket orders what no look-up can. A is there under it, so nobody has evicted A before, and whoever does so
/// afterwards fills the element after that: what was copied before the lock was A's.
#[test]
fn a_replacement_of_what_exists_is_whole_everywhere() {
    for kernel in [ARM64, IN_ORDER] {
        TAGS.into_iter().for_each(|tag| beside_eviction(kernel, EXISTING, tag));
    }
}

/// Under the stripe. The second look, its fence and the tag are for whoever replaces with `BPF_ANY`, or not at all.
#[test]
fn a_replacement_of_what_exists_needs_no_other_check() {
    let bare = Packet { fence: false, looks_again: false, checks_tag: false, ..EXISTING };
    TAGS.into_iter().for_each(|tag| beside_eviction(ARM64, bare, tag));
}

#[test]
#[should_panic(expected = "another's value is published")]
fn control_it_takes_a_lock_that_acquires() {
    beside_eviction(Kernel { lock_acquires: false, ..ARM64 }, EXISTING, B);
}
