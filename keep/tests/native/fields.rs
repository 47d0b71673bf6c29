// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fields of every size, sign and order, thresholds at every edge, and keys of every size.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;

use keep::{Field, Means, Order, Outcome, Plan};

use crate::bare::{ENTRIES, HASH, contents, fill, map, stripes};
use crate::rig::turn;

const VALUE: u32 = 24;

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

#[test]
fn fields_of_every_size_sign_and_order() {
    let Some(_turn) = turn() else { return };
    for size in [1, 2, 4, 8] {
        for signed in [false, true] {
            for order in [Order::Native, Order::Big, Order::Little] {
                for offset in [0, 8, VALUE - size] {
                    try_field(Field { offset, size, signed, order });
                }
            }
        }
    }
}

/// Numbers at the edges of the field's range and around zero, against thresholds within and beyond.
fn try_field(field: Field) {
    let bits = 8 * field.size;
    let (least, most) = if field.signed {
        (-(1_i128 << (bits - 1)), (1 << (bits - 1)) - 1)
    } else {
        (0, (1_i128 << bits) - 1)
    };
    let middle = (most + least) / 2;
    let mut numbers =
        vec![least, least + 1, least + 2, -2, -1, 0, 1, 2, 100, middle, middle + 1, most - 1, most];
    numbers.retain(|number| (least..=most).contains(number));
    numbers.sort_unstable();
    numbers.dedup();
    let entries: Entries = (0_u32..)
        .zip(&numbers)
        .map(|(key, &number)| (key.to_ne_bytes().into(), value(field, number)))
        .collect();

    let (table, map) = (stripes(), map(HASH, 4, VALUE, ENTRIES));
    let plan = Plan::new(map.as_fd(), field).stripes(table.as_fd()).only(Means::Stripes);
    let mut collector = plan.open().unwrap_or_else(|error| panic!("{field:?}: {error}"));
    let beyond = [i128::MIN, least - 1, most + 1, most + 2, i128::MAX];
    for &threshold in numbers.iter().chain(&beyond) {
        fill(map.as_fd(), &entries);
        let (expired, left): (Entries, Entries) =
            entries.clone().into_iter().partition(|(_, value)| read(field, value) < threshold);
        let what = format!("{field:?} below {threshold}");
        let expired: Vec<_> = expired.into_keys().collect();

        let mut told = Vec::new();
        let looked = collector.look(threshold, |key, outcome| told.push((key.to_vec(), outcome))).unwrap();
        assert_told(&what, told, &expired, Outcome::Expired);
        assert_eq!((looked.expired, looked.deleted), (expired.len() as u64, 0), "{what}");
        assert_eq!(contents(map.as_fd(), 4, VALUE as usize), entries, "{what}: a dry run deleted");

        let mut told = Vec::new();
        let round = collector.round(threshold, |key, outcome| told.push((key.to_vec(), outcome))).unwrap();
        assert_told(&what, told, &expired, Outcome::Deleted);
        assert_eq!((round.looked_at, round.deleted), (entries.len() as u64, expired.len() as u64), "{what}");
        assert_eq!(contents(map.as_fd(), 4, VALUE as usize), left, "{what}");

        fill(map.as_fd(), &entries);
        let counted = collector.round_counted(threshold).unwrap();
        assert_eq!(counted, round, "{what}");
        assert_eq!(contents(map.as_fd(), 4, VALUE as usize), left, "{what}");
    }
}

#[test]
fn keys_of_every_size_are_told_of_as_they_are() {
    let Some(_turn) = turn() else { return };
    for size in 1..=64_u32 {
        let field = Field::unsigned(4, 4);
        let (table, map) = (stripes(), map(HASH, size, VALUE, ENTRIES));
        // Each byte of a key differs from all others of it and of its place.
        let key = |number: u8| {
            (0..size)
                .map(|at| at.to_le_bytes()[0].wrapping_mul(3) ^ number.wrapping_mul(7))
                .collect::<Vec<_>>()
        };
        let entries: Entries = (0..100).map(|number| (key(number), value(field, number.into()))).collect();
        fill(map.as_fd(), &entries);
        let plan = Plan::new(map.as_fd(), field).stripes(table.as_fd()).only(Means::Stripes);
        let mut told = Vec::new();
        let mut collector = plan.open().unwrap_or_else(|error| panic!("keys of {size} bytes: {error}"));
        collector.round(60, |key, outcome| told.push((key.to_vec(), outcome))).unwrap();
        let mut expired: Vec<_> = (0..60).map(key).collect();
        expired.sort_unstable();
        assert_told(&format!("keys of {size} bytes"), told, &expired, Outcome::Deleted);
        let left: Entries = (60..100).map(|number| (key(number), value(field, number.into()))).collect();
        assert_eq!(contents(map.as_fd(), size as usize, VALUE as usize), left, "keys of {size} bytes");
    }
}

#[track_caller]
fn assert_told(what: &str, mut told: Vec<(Vec<u8>, Outcome)>, keys: &[Vec<u8>], outcome: Outcome) {
    told.sort_by(|(left, _), (right, _)| left.cmp(right));
    let expected: Vec<_> = keys.iter().map(|key| (key.clone(), outcome)).collect();
    assert_eq!(told, expected, "{what}");
}

/// A value whose other bytes are such as would be taken for a number by a wrong look.
fn value(field: Field, number: i128) -> Vec<u8> {
    let mut value: Vec<u8> = (0..VALUE).map(|at| if at % 2 == 0 { 0x7f } else { 0x80 }).collect();
    let (offset, size) = (field.offset as usize, field.size as usize);
    let bytes = number.to_le_bytes();
    let mut bytes = bytes[..size].to_vec();
    if field.order == Order::Big || field.order == Order::Native && cfg!(target_endian = "big") {
        bytes.reverse();
    }
    value[offset..offset + size].copy_from_slice(&bytes);
    value
}

fn read(field: Field, value: &[u8]) -> i128 {
    field.read(value).unwrap()
}
