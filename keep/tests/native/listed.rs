// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rounds over keys that the caller lists.

use std::os::fd::AsFd as _;

use cmpdel_uapi_raw as raw;
use keep::{Error, Field, Means, Outcome, Plan};

use crate::bare::{HASH, contents, map, stripes};
use crate::frames::stripe_of;
use crate::rig::turn;

const ENTRIES: u32 = 16;

fn key(number: u32) -> [u8; 6] {
    let [a, b, c, d] = number.to_be_bytes();
    [1, a, b, c, d, 9]
}

#[test]
fn of_the_listed_keys_what_has_expired_is_deleted_and_each_is_told_of() {
    let Some(_turn) = turn() else { return };
    let (table, map) = (stripes(), map(HASH, 6, 8, ENTRIES));
    // Its number is its time.
    for number in 0..ENTRIES {
        raw::update(map.as_fd(), &key(number), &u64::from(number).to_ne_bytes(), 0).unwrap();
    }
    let plan = Plan::new(map.as_fd(), Field::unsigned(0, 8)).stripes(table.as_fd()).only(Means::Stripes);
    let mut collector = plan.open().unwrap();

    let busy = stripe_of(&key(5), 0x5eed, 37);
    let is_busy = |number| stripe_of(&key(number), 0x5eed, 37) == busy;
    let mut held = vec![0; 64];
    raw::Elements::new(table.as_fd()).unwrap().look_up(&busy.to_ne_bytes(), &mut held, 0).unwrap();
    held[0] = 1;
    held[3] = 1;
    raw::update(table.as_fd(), &busy.to_ne_bytes(), &held, 0).unwrap();

    // More keys than the map has room for, so more than one call; 0 and 1 are not asked for.
    let numbers: Vec<_> = (2..50).collect();
    let keys: Vec<_> = numbers.iter().map(|&number| key(number)).collect();
    let mut told = Vec::new();
    let listed = keys.iter().map(|key| &key[..]);
    let round = collector.round_listed(8, listed, |key, outcome| told.push((key.to_vec(), outcome))).unwrap();
    let outcome = |number| match number {
        _ if is_busy(number) => Outcome::Busy,
        2..8 => Outcome::Deleted,
        8..ENTRIES => Outcome::Kept,
        _ => Outcome::Absent,
    };
    let expected: Vec<_> = numbers.iter().map(|&number| (key(number).to_vec(), outcome(number))).collect();
    assert_eq!(told, expected);
    let count = |outcome| expected.iter().filter(|(_, seen)| *seen == outcome).count() as u64;
    assert_eq!(
        (round.looked_at, round.deleted, round.kept),
        (48, count(Outcome::Deleted), count(Outcome::Kept))
    );
    assert_eq!((round.absent, round.busy), (count(Outcome::Absent), count(Outcome::Busy)));
    let left: Vec<_> = contents(map.as_fd(), 6, 8).into_keys().collect();
    let stays = |&number: &u32| outcome(number) != Outcome::Deleted || number < 2;
    assert_eq!(left, (0..ENTRIES).filter(stays).map(|number| key(number).to_vec()).collect::<Vec<_>>());
}

#[test]
fn a_listed_key_of_another_size_is_refused() {
    let Some(_turn) = turn() else { return };
    let (table, map) = (stripes(), map(HASH, 6, 8, ENTRIES));
    raw::update(map.as_fd(), &key(1), &[0; 8], 0).unwrap();
    let plan = Plan::new(map.as_fd(), Field::unsigned(0, 8)).stripes(table.as_fd()).only(Means::Stripes);
    let keys = [&key(1)[..], &[1; 7]];
    let error = plan.open().unwrap().round_listed(8, keys, |_, _| panic!("it was told of one")).unwrap_err();
    assert!(matches!(error, Error::Map(cmpdel_uapi::Error::KeySize { given: 7, expected: 6 })), "{error}");
    assert_eq!(contents(map.as_fd(), 6, 8).len(), 1);
}
