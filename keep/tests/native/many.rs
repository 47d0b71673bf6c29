// SPDX-License-Identifier: MIT OR Apache-2.0
//! More expired entries than a call of the collector has room to tell of.

use std::cell::Cell;
use std::os::fd::{AsFd as _, OwnedFd};

use cmpdel_uapi_raw::Elements;
use keep::{Field, Means, Outcome, Plan};

use crate::bare::{HASH, map, stripes};
use crate::rig::turn;

/// Of which a third is live.
const ENTRIES: u32 = 120_000;

/// A map of so many entries, two thirds of which have expired at 2.
fn filled() -> OwnedFd {
    let map = map(HASH, 4, 8, ENTRIES);
    let elements = Elements::new(map.as_fd()).unwrap();
    for key in 0..ENTRIES {
        elements.update(&key.to_ne_bytes(), &u64::from(key % 3).to_ne_bytes(), 0).unwrap();
    }
    map
}

#[test]
fn a_round_that_takes_many_calls_tells_of_each_key_once() {
    let Some(_turn) = turn() else { return };
    let (table, map) = (stripes(), filled());
    let plan = Plan::new(map.as_fd(), Field::unsigned(0, 8)).stripes(table.as_fd()).only(Means::Stripes);
    let mut collector = plan.open().unwrap();
    let mut told = Vec::new();
    let tell = |key: &[u8], outcome| told.push((u32::from_ne_bytes(key.try_into().unwrap()), outcome));
    let round = collector.round(2, tell).unwrap();
    told.sort_unstable_by_key(|(key, _)| *key);
    let expected: Vec<_> =
        (0..ENTRIES).filter(|key| key % 3 < 2).map(|key| (key, Outcome::Deleted)).collect();
    assert!(told == expected, "{} were told of, not {}: {round:?}", told.len(), expected.len());
    assert_eq!((round.deleted, round.expired), (expected.len() as u64, expected.len() as u64));
    let left = collector.look_counted(3).unwrap();
    assert_eq!((left.looked_at, left.expired), (u64::from(ENTRIES) / 3, u64::from(ENTRIES) / 3));
}

#[test]
fn a_round_that_is_not_to_go_on_ends_with_its_call() {
    let Some(_turn) = turn() else { return };
    let (table, map) = (stripes(), filled());
    let stop = Cell::new(true);
    let goes_on = || !stop.get();
    let plan = Plan::new(map.as_fd(), Field::unsigned(0, 8)).stripes(table.as_fd()).only(Means::Stripes);
    let mut collector = plan.goes_on(&goes_on).open().unwrap();
    assert_eq!(collector.round_counted(2).unwrap(), keep::Round::default());
    stop.set(false);
    let mut told = 0;
    let tell = |_: &[u8], outcome| {
        assert_eq!(outcome, Outcome::Deleted);
        told += 1;
        stop.set(true);
    };
    let round = collector.round(2, tell).unwrap();
    assert!(0 < round.deleted && round.deleted < u64::from(ENTRIES) / 3 * 2, "{round:?}");
    assert_eq!(told, round.deleted);
    stop.set(false);
    assert_eq!(collector.look_counted(3).unwrap().looked_at, u64::from(ENTRIES) - round.deleted);
}
