// SPDX-License-Identifier: MIT OR Apache-2.0
//! A collector with a second condition, written in C.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;

use cmpdel_uapi_raw::Elements;
use keep::{Error, Field, Means, Outcome, Plan};

use crate::bare::{HASH, contents, fill, map, stripes};
use crate::rig::turn;

const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/spared.o"));
/// Everything below has expired.
const NOW: u8 = 100;

/// Lifetime, and whether it is spared.
fn value(lifetime: u8, spared: bool) -> Vec<u8> {
    vec![lifetime, spared.into(), 0, 0, 0, 0, 0, 0]
}

#[test]
fn what_its_condition_spares_stays_and_what_is_removed_is_told_in_the_kernel_too() {
    let Some(_turn) = turn() else { return };
    let (map, table) = (map(HASH, 8, 8, 64), stripes());
    let entry = |number: u64| {
        let (expired, spared) = (number.is_multiple_of(2), number.is_multiple_of(3));
        (number.to_ne_bytes().to_vec(), value(if expired { NOW - 1 } else { NOW }, spared))
    };
    let entries: BTreeMap<_, _> = (0..48).map(entry).collect();
    fill(map.as_fd(), &entries);

    let plan = Plan::new(map.as_fd(), Field::unsigned(0, 1)).stripes(table.as_fd()).object(OBJECT);
    let mut collector = plan.open().unwrap();
    assert_eq!(collector.means(), Means::Stripes);
    let mut told = Vec::new();
    let round = collector.round(NOW.into(), |key, outcome| told.push((key.to_vec(), outcome))).unwrap();

    let gone: Vec<u64> =
        (0_u64..48).filter(|number| number.is_multiple_of(2) && !number.is_multiple_of(3)).collect();
    told.sort_by_key(|(key, _)| u64::from_ne_bytes(key.as_slice().try_into().unwrap()));
    let expected: Vec<_> =
        gone.iter().map(|number| (number.to_ne_bytes().to_vec(), Outcome::Deleted)).collect();
    assert_eq!(told, expected);
    assert_eq!((round.looked_at, round.deleted, round.kept), (48, gone.len() as u64, 0));
    let left: BTreeMap<_, _> = (0..48).filter(|number| !gone.contains(number)).map(entry).collect();
    assert_eq!(contents(map.as_fd(), 8, 8), left);

    let tally = collector.map("tally").unwrap();
    let mut sum = [0; 16];
    Elements::new(tally.as_fd()).unwrap().look_up(&[0; 4], &mut sum, 0).unwrap();
    let expected = [gone.len() as u64, gone.iter().sum()].map(u64::to_ne_bytes).concat();
    assert_eq!(sum.as_slice(), expected);
}

#[test]
fn a_condition_in_c_is_not_left_out_for_compare_and_delete() {
    let Some(_turn) = turn() else { return };
    let map = map(HASH, 8, 8, 8);
    let plan = Plan::new(map.as_fd(), Field::unsigned(0, 1)).object(OBJECT).only(Means::Compare);
    let error = plan.open().map(drop).unwrap_err();
    assert!(matches!(error, Error::Load(_)), "{error}");
}
