// SPDX-License-Identifier: MIT OR Apache-2.0
//! Batches and walks on whatever kernel this runs: nothing is deleted without the series, and arguments that do not fit
//! are found before the kernel is asked. Needs the right to make BPF maps; without it, each test says `skipped:` and why.

// A test's helper fails as the test does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};

use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{BatchOutcome, Error, Map, Outcome, Snapshot, Support, probe, probe_batch, probe_map_type};
use cmpdel_uapi_raw::{self as raw, Create};

const TYPES: [u32; 2] = [abi::BPF_MAP_TYPE_HASH, abi::BPF_MAP_TYPE_LRU_HASH];
const ENTRIES: u32 = 100;

/// Each value holds its key, and then 1, 2, 3, 4.
fn value_of(key: u32) -> [u8; 8] {
    let [a, b, c, d] = key.to_ne_bytes();
    [a, b, c, d, 1, 2, 3, 4]
}

/// A map of [`ENTRIES`] entries, or the reason why there is none on standard error.
fn filled(map_type: u32) -> Option<OwnedFd> {
    // An LRU map with room to spare: else some would be evicted while it is filled.
    let create =
        Create { map_type, key_size: 4, value_size: 8, max_entries: 8 * ENTRIES, ..Create::default() };
    let fd = common::made(raw::map_create(&create))?;
    for key in 0..ENTRIES {
        raw::update(fd.as_fd(), &key.to_ne_bytes(), &value_of(key), 0).unwrap();
    }
    Some(fd)
}

/// The keys that are there, and how many look-ups it took.
fn walked(map: &Map<'_>, room: u32) -> (HashSet<u32>, usize) {
    let (mut walk, mut snapshot) = (map.walk(room).unwrap(), Snapshot::default());
    let (mut keys, mut rounds) = (HashSet::new(), 0);
    while walk.next_into(&mut snapshot).unwrap() {
        rounds += 1;
        assert!(!snapshot.is_empty());
        for (key, value) in snapshot.entries() {
            let key = u32::from_ne_bytes(key.try_into().unwrap());
            assert_eq!(value, value_of(key));
            assert!(keys.insert(key), "{key} was seen twice");
        }
    }
    assert!(!walk.next_into(&mut snapshot).unwrap() && snapshot.is_empty(), "the end is the end");
    (keys, rounds)
}

#[test]
fn a_walk_sees_every_entry_once_whatever_its_room() {
    for map_type in TYPES {
        let Some(fd) = filled(map_type) else { return };
        let map = Map::new(fd.as_fd()).unwrap();
        for room in [0, 1, 7, ENTRIES, 10 * ENTRIES] {
            let (keys, rounds) = walked(&map, room);
            assert_eq!(keys, (0..ENTRIES).collect(), "type {map_type}, room {room}");
            assert!(room >= ENTRIES || rounds > 1, "type {map_type}, room {room}: {rounds} rounds");
        }
    }
}

#[test]
fn a_map_of_other_values_is_not_walked() {
    let create = Create {
        map_type: abi::BPF_MAP_TYPE_PERCPU_HASH,
        key_size: 4,
        value_size: 8,
        max_entries: 4,
        ..Create::default()
    };
    let Ok(fd) = raw::map_create(&create) else { return eprintln!("skipped: no per-CPU map can be made") };
    let map = Map::new(fd.as_fd()).unwrap();
    assert!(matches!(map.walk(8), Err(Error::UnsupportedMap { map_type: 5 })));
    let answer = map.delete_batch_if_eq(&[0; 4], &[0; 8], 0..8);
    let wanted = match probe().unwrap() {
        Support::Supported => matches!(answer, Err(Error::UnsupportedMap { map_type: 5 })),
        Support::Unsupported => matches!(answer, Err(Error::UnsupportedKernel)),
    };
    assert!(wanted, "{answer:?}");
}

#[test]
fn a_batch_says_what_became_of_each_entry_and_deletes_nothing_without_the_series() {
    type Call = for<'a> fn(&Map<'a>, &[u8], &[u8]) -> Result<BatchOutcome, Error>;
    let calls: [(&str, Call); 2] = [
        ("batch", |map, keys, values| map.delete_batch_if_eq(keys, values, 3..6)),
        ("each", |map, keys, values| map.delete_each_if_eq(keys, values, 3..6)),
    ];
    for map_type in TYPES {
        for (name, call) in calls {
            let Some(fd) = filled(map_type) else { return };
            let map = Map::new(fd.as_fd()).unwrap();
            // Equal, differing in the window, differing outside, absent, the first once more.
            let keys: Vec<u8> =
                [1, 2, 3, ENTRIES, 1].iter().flat_map(|key: &u32| key.to_ne_bytes()).collect();
            let mut values: Vec<u8> = [1, 2, 3, ENTRIES, 1].into_iter().flat_map(value_of).collect();
            values[8 + 5] ^= 1;
            values[16 + 6] ^= 1;
            let mut left: HashSet<u32> = (0..ENTRIES).collect();
            let answer = call(&map, &keys, &values);
            let support = match name {
                "batch" => probe_batch(map_type),
                _ => probe_map_type(map_type),
            };
            if support.unwrap() == Support::Supported {
                let batch = answer.unwrap();
                let [deleted, kept, absent] = [Outcome::Deleted, Outcome::Mismatch, Outcome::Absent];
                assert_eq!(batch.outcomes, [deleted, kept, deleted, absent, absent], "{map_type}, {name}");
                assert!(batch.ended.is_none());
                assert_eq!((batch.count(deleted), batch.count(absent)), (2, 2));
                left.retain(|key| ![1, 3].contains(key));
            } else {
                assert!(
                    matches!(
                        answer,
                        Err(Error::UnsupportedKernel
                            | Error::UnsupportedMap { .. }
                            | Error::UnsupportedBatch { .. })
                    ),
                    "{map_type}, {name}: {answer:?}"
                );
            }
            assert_eq!(walked(&map, 64).0, left, "{map_type}, {name}");
        }
    }
}

#[test]
fn an_empty_batch_is_no_error_and_a_bad_one_is_found_before_the_kernel_is_asked() {
    let Some(fd) = filled(abi::BPF_MAP_TYPE_HASH) else { return };
    let map = Map::new(fd.as_fd()).unwrap();
    let empty = map.delete_batch_if_eq(&[], &[], 0..4);
    match probe_batch(abi::BPF_MAP_TYPE_HASH).unwrap() {
        Support::Supported => assert!(empty.unwrap().outcomes.is_empty()),
        Support::Unsupported => assert!(empty.is_err()),
    }
    for (keys, values) in [(4, 0), (0, 8), (3, 8), (4, 7), (5, 8), (8, 8), (4, 16), (8, 15)] {
        let (keys, values) = (vec![0; keys], vec![0; values]);
        let updates = [
            map.update_batch_if_eq(&keys, &values, &values, 0..4),
            map.update_each_if_eq(&keys, &values, &values, 0..4),
        ];
        for answer in updates {
            assert!(matches!(answer, Err(Error::BatchLength { .. })), "{answer:?}");
        }
        for answer in
            [map.delete_batch_if_eq(&keys, &values, 0..4), map.delete_each_if_eq(&keys, &values, 0..4)]
        {
            assert!(
                matches!(answer, Err(Error::BatchLength { key_size: 4, value_size: 8, .. })),
                "{answer:?}"
            );
        }
    }
    for (start, end) in [(0, 0), (4, 4), (5, 4), (0, 9), (8, 9), (u32::MAX, 0), (u32::MAX - 1, u32::MAX)] {
        let answer = map.delete_batch_if_eq(&0_u32.to_ne_bytes(), &value_of(0), start..end);
        assert!(matches!(answer, Err(Error::BadWindow { value_size: 8, .. })), "{start}..{end}: {answer:?}");
    }
    assert_eq!(walked(&map, 64).0.len(), ENTRIES as usize);
}

#[test]
fn support_of_a_type_needs_that_of_the_kernel_and_batches_that_of_the_type() {
    if let Err(error) = probe_batch(abi::BPF_MAP_TYPE_LRU_HASH) {
        return eprintln!("skipped: {error}");
    }
    assert_eq!(probe_map_type(abi::BPF_MAP_TYPE_HASH).unwrap(), probe().unwrap());
    for map_type in TYPES {
        if probe_batch(map_type).unwrap() == Support::Supported {
            assert_eq!(probe_map_type(map_type).unwrap(), Support::Supported);
        }
        if probe_map_type(map_type).unwrap() == Support::Supported {
            assert_eq!(probe().unwrap(), Support::Supported);
        }
    }
    for other in [abi::BPF_MAP_TYPE_ARRAY, abi::BPF_MAP_TYPE_LRU_PERCPU_HASH, 4711] {
        assert_eq!(probe_map_type(other).unwrap(), Support::Unsupported);
        assert_eq!(probe_batch(other).unwrap(), Support::Unsupported);
    }
}
