// SPDX-License-Identifier: MIT OR Apache-2.0
//! word.h and judge.h: one load says until when an entry lives, and whose it is. No stripe is held.

use std::sync::Arc;

use loom::thread;

use crate::{
    bpf::Word,
    kernel::{A, ARM64, B, Flags, Kernel, Map, Value, tag, until},
};

/// `now + lifetime / 2`.
const DUE: u64 = 7;

#[derive(Debug, PartialEq, Eq)]
enum Is {
    /// With the lifetime that it was judged by.
    Fresh(u64),
    Due,
    Other,
}

/// `keep_judge()` by one load of the word; or, for a control, by one load for each half.
fn judge(map: &Map, entry: usize, loads: usize) -> Is {
    let seen = map.load_word(entry);
    let lifetime = until(if loads == 1 { seen } else { map.load_word(entry) });
    match tag(seen) == A {
        true if lifetime >= DUE => Is::Fresh(lifetime),
        true => Is::Due,
        false => Is::Other,
    }
}

/// A's entry is due, and never was anything else. It goes, and B has the element, with a long life before it.
fn beside_a_new_owner(kernel: Kernel, loads: usize) {
    loom::model(move || {
        let map = Arc::new(Map::new(kernel, Value::new(A, 5), Word::without_turn));
        let other = {
            let map = map.clone();
            thread::spawn(move || {
                let free = map.delete().unwrap();
                map.fill(free, B, Value::new(B, 20));
            })
        };
        if let Some(entry) = map.look_up() {
            let is = judge(&map, entry, loads);
            assert!(matches!(is, Is::Due | Is::Other), "{is:?}: by another's lifetime");
        }
        other.join().unwrap();
    });
}

/// An entry of A's had a long life before it and was deleted, as after a reset. A opens again, in the same element.
fn beside_a_new_entry(kernel: Kernel) {
    loom::model(move || {
        let map = Arc::new(Map::new(kernel, Value::new(A, 30), Word::without_turn));
        let free = map.delete().unwrap();
        let opens = {
            let map = map.clone();
            // keep_create()
            thread::spawn(move || map.update(free, Value::new(A, 8), Flags::NoExist).is_ok())
        };
        // A was nowhere to be found, so whoever finds it finds the new entry.
        if let Some(entry) = map.look_up() {
            assert_eq!(judge(&map, entry, 1), Is::Fresh(8), "by the lifetime of an entry that is gone");
        }
        assert!(opens.join().unwrap());
    });
}

#[test]
fn one_load_takes_no_lifetime_for_anothers() {
    beside_a_new_owner(ARM64, 1);
}

#[test]
#[should_panic(expected = "by another's lifetime")]
fn control_two_loads_do() {
    beside_a_new_owner(ARM64, 2);
}

#[test]
fn a_new_entry_is_judged_by_its_own_lifetime() {
    beside_a_new_entry(ARM64);
}

#[test]
#[should_panic(expected = "by the lifetime of an entry that is gone")]
fn control_a_link_that_does_not_release_shows_the_old_word() {
    beside_a_new_entry(Kernel { publishes: false, ..ARM64 });
}

#[test]
#[should_panic(expected = "by the lifetime of an entry that is gone")]
fn control_so_does_a_load_that_does_not_depend_on_the_pointer() {
    beside_a_new_entry(Kernel { depends: false, ..ARM64 });
}
