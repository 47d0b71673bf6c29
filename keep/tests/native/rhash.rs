// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map whose walk ends where it deletes.

use std::os::fd::AsFd as _;

use cmpdel_uapi::bindings::{BPF_F_NO_PREALLOC, BPF_MAP_TYPE_RHASH};
use cmpdel_uapi_raw::{self as raw, Create, Elements};
use keep::{Field, Means, Outcome, Plan};

use crate::bare::stripes;
use crate::rig::turn;

const ENTRIES: u32 = 3000;

#[test]
fn a_round_deletes_all_that_has_expired_and_tells_of_each_once() {
    let Some(_turn) = turn() else { return };
    let create = Create {
        map_type: BPF_MAP_TYPE_RHASH,
        key_size: 4,
        value_size: 8,
        max_entries: ENTRIES,
        flags: BPF_F_NO_PREALLOC,
        ..Create::default()
    };
    let Ok(map) = raw::map_create(&create) else {
        eprintln!("skipped: this kernel has no rhash: it came with 7.3");
        return;
    };
    let elements = Elements::new(map.as_fd()).unwrap();
    for key in 0..ENTRIES {
        elements.update(&key.to_ne_bytes(), &u64::from(key % 2).to_ne_bytes(), 0).unwrap();
    }
    let table = stripes();
    let plan = Plan::new(map.as_fd(), Field::unsigned(0, 8)).stripes(table.as_fd()).only(Means::Stripes);
    let mut collector = plan.open().unwrap();
    let mut told = Vec::new();
    let tell = |key: &[u8], outcome| told.push((u32::from_ne_bytes(key.try_into().unwrap()), outcome));
    let round = collector.round(1, tell).unwrap();
    told.sort_unstable_by_key(|(key, _)| *key);
    let expected: Vec<_> = (0..ENTRIES).step_by(2).map(|key| (key, Outcome::Deleted)).collect();
    assert!(told == expected, "{} were told of, not {}: {round:?}", told.len(), expected.len());
    assert_eq!((round.deleted, round.looked_at), (u64::from(ENTRIES) / 2, u64::from(ENTRIES)));
    let again = collector.round_counted(2).unwrap();
    assert_eq!((again.deleted, again.looked_at), (u64::from(ENTRIES) / 2, u64::from(ENTRIES) / 2));
}
