// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare-and-update on whatever kernel this runs: only an equal window lets a value in, no entry is ever made, and without the
//! series nothing changes. Needs the right to make BPF maps; without it, each test says `skipped:` and why.

// A test's helper fails as the test does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::os::fd::{AsFd, OwnedFd};

use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{BatchOutcome, Error, Map, Support, Updated, Window, probe_update, probe_update_batch};
use cmpdel_uapi_raw::{self as raw, Create};

const TYPES: [u32; 2] = [abi::BPF_MAP_TYPE_HASH, abi::BPF_MAP_TYPE_LRU_HASH];
const VALUE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const NEW: [u8; 8] = [11, 12, 13, 14, 15, 16, 17, 18];

/// A map of the entries 0, 1 and 2, or the reason why there is none on standard error.
fn map_of(map_type: u32, value: &[u8]) -> Option<OwnedFd> {
    let value_size = u32::try_from(value.len()).unwrap();
    let create = Create { map_type, key_size: 4, value_size, max_entries: 64, ..Create::default() };
    let fd = common::made(raw::map_create(&create))?;
    for key in 0..3_u32 {
        raw::update(fd.as_fd(), &key.to_ne_bytes(), value, 0).unwrap();
    }
    Some(fd)
}

fn value_at(map: &Map<'_>, key: u32) -> Option<Vec<u8>> {
    map.lookup(&key.to_ne_bytes()).unwrap()
}

#[track_caller]
fn assert_unsupported<T: std::fmt::Debug>(answer: Result<T, Error>) {
    let error = answer.unwrap_err();
    assert!(
        matches!(
            error,
            Error::UnsupportedKernel
                | Error::UnsupportedMap { .. }
                | Error::UnsupportedUpdate { .. }
                | Error::UnsupportedBatch { .. }
        ),
        "{error:?}"
    );
}

#[test]
fn only_an_equal_window_lets_a_new_value_in() {
    let rows: [(u32, Window<'_>, Updated); 6] = [
        (0, Window::whole(&VALUE), Updated::Replaced),
        (1, Window::at(3, &VALUE[3..6]), Updated::Replaced),
        (2, Window::at(7, &VALUE[7..]), Updated::Replaced),
        (0, Window::whole(&NEW), Updated::Mismatch),
        (1, Window::at(7, &[0]), Updated::Mismatch),
        (3, Window::whole(&VALUE), Updated::Absent),
    ];
    for map_type in TYPES {
        for (key, window, outcome) in rows {
            let Some(fd) = map_of(map_type, &VALUE) else { return };
            let map = Map::new(fd.as_fd()).unwrap();
            let before = value_at(&map, key);
            let answer = map.update_if_eq(&key.to_ne_bytes(), &NEW, window);
            let after = value_at(&map, key);
            match probe_update(map_type).unwrap() {
                Support::Supported => {
                    assert_eq!(answer.unwrap(), outcome, "{key} {window:?}");
                    map.check_update(0..8).unwrap();
                    let new = Some(NEW.to_vec());
                    assert_eq!(after, if outcome == Updated::Replaced { new } else { before });
                }
                Support::Unsupported => {
                    assert_unsupported(answer);
                    assert_unsupported(map.check_update(0..8));
                    assert_eq!(after, before);
                }
            }
        }
    }
}

#[test]
fn a_batch_says_what_became_of_each_entry() {
    type Call = for<'a> fn(&Map<'a>, &[u8], &[u8], &[u8]) -> Result<BatchOutcome<Updated>, Error>;
    let calls: [(bool, Call); 2] = [
        (true, |map, keys, seen, new| map.update_batch_if_eq(keys, seen, new, 3..6)),
        (false, |map, keys, seen, new| map.update_each_if_eq(keys, seen, new, 3..6)),
    ];
    for map_type in TYPES {
        for (batched, call) in calls {
            let Some(fd) = map_of(map_type, &VALUE) else { return };
            let map = Map::new(fd.as_fd()).unwrap();
            // Equal, differing in the window, differing outside, absent, the first once more.
            let keys: Vec<u8> = [0, 1, 2, 3, 0_u32].into_iter().flat_map(u32::to_ne_bytes).collect();
            let mut seen = VALUE.repeat(5);
            seen[8 + 5] ^= 1;
            seen[16 + 6] ^= 1;
            let new: Vec<u8> = (0..40).collect();
            let answer = call(&map, &keys, &seen, &new);
            let support = if batched { probe_update_batch(map_type) } else { probe_update(map_type) };
            let left: [Option<Vec<u8>>; 4] = [0, 1, 2, 3].map(|key| value_at(&map, key));
            if support.unwrap() == Support::Supported {
                let batch = answer.unwrap();
                let [replaced, kept, absent] = [Updated::Replaced, Updated::Mismatch, Updated::Absent];
                assert_eq!(batch.outcomes, [replaced, kept, replaced, absent, kept]);
                assert!(batch.ended.is_none());
                assert_eq!((batch.count(replaced), batch.count(kept)), (2, 2));
                let (first, third) = ((0..8).collect(), (16..24).collect());
                assert_eq!(left, [Some(first), Some(VALUE.to_vec()), Some(third), None]);
            } else {
                assert_unsupported(answer);
                assert_eq!(left[..3], vec![Some(VALUE.to_vec()); 3]);
            }
        }
    }
}

#[test]
fn arguments_that_do_not_fit_are_found_before_the_kernel_is_asked() {
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH, &VALUE) else { return };
    let map = Map::new(fd.as_fd()).unwrap();
    let key = 0_u32.to_ne_bytes();
    for value in [&[][..], &NEW[..7], &[0; 9]] {
        let answer = map.update_if_eq(&key, value, Window::whole(&VALUE));
        assert!(
            matches!(answer, Err(Error::ValueSize { given, expected: 8 }) if given == value.len()),
            "{answer:?}"
        );
    }
    let answer = map.update_if_eq(&key[..3], &NEW, Window::whole(&VALUE));
    assert!(matches!(answer, Err(Error::KeySize { given: 3, expected: 4 })), "{answer:?}");
    let answer = map.update_if_eq(&key, &NEW, Window::at(8, &[1]));
    assert!(matches!(answer, Err(Error::BadWindow { .. })), "{answer:?}");
    let answer = map.update_batch_if_eq(&key, &VALUE, &NEW[..7], 0..4);
    assert!(matches!(answer, Err(Error::BatchLength { values: 7, .. })), "{answer:?}");
    assert_eq!(value_at(&map, 0).as_deref(), Some(&VALUE[..]));
}

#[test]
fn a_window_of_64_bytes_is_compared_and_a_longer_one_is_an_error_of_its_own() {
    let value = [7; 80];
    let Some(fd) = map_of(abi::BPF_MAP_TYPE_HASH, &value) else { return };
    let map = Map::new(fd.as_fd()).unwrap();
    let (key, new) = (0_u32.to_ne_bytes(), [8; 80]);
    let too_long = [
        map.update_if_eq(&key, &new, Window::whole(&value[..65])).map(drop),
        map.update_batch_if_eq(&key, &value, &new, 15..80).map(drop),
        map.delete_if_eq(&key, Window::at(15, &value[15..])).map(drop),
        map.delete_batch_if_eq(&key, &value, 0..65).map(drop),
        map.delete_each_if_eq(&key, &value, 0..65).map(drop),
        map.check_delete(0..65),
        map.check_update(0..65),
    ];
    for answer in too_long {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::WindowTooLong { size: 65 }), "{error:?}");
        assert!(error.to_string().contains("narrow it to the field"), "{error}");
    }
    assert_eq!(value_at(&map, 0).as_deref(), Some(&value[..]));
    if probe_update(abi::BPF_MAP_TYPE_HASH).unwrap() == Support::Supported {
        let answer = map.update_if_eq(&key, &new, Window::at(16, &value[16..])).unwrap();
        assert_eq!((answer, value_at(&map, 0)), (Updated::Replaced, Some(new.to_vec())));
        let batch = map.update_batch_if_eq(&key, &new, &value, 0..64).unwrap();
        assert_eq!(batch.outcomes, [Updated::Replaced]);
    }
}
