// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every kind of element in every place, batches of every size around a chunk of the kernel's, every window.

use anyhow::Result;

use super::missing;
use super::table::Element::{self, Absent, Differs, Equal, Outside};
use super::table::{Table, Wanted};
use crate::Context;
use crate::fixture::{Shape, kinds};
use crate::verdict::{On, Tally, Test, Verdict};

// Where every kind of map would be much of the same, one of the hash and one of the LRU hash are tried.

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("batch::each_kind_of_element_in_each_place_gets_its_due", On::Series, places),
        Test::new("batch::sizes_around_a_chunk_are_dealt_with_whole", On::Series, chunks),
        Test::new("batch::large_windows_and_keys_make_smaller_chunks", On::Series, small_chunks),
        Test::new("batch::windows_are_compared_whole_and_nothing_else_is", On::Series, windows),
        Test::new("batch::differs_by_a_single_bit", On::Series, single_bits),
    ]
}

/// All batches of `length` elements, of five kinds each: the fifth is the first entry once more.
fn all_batches(length: usize) -> impl Iterator<Item = Vec<Element>> {
    const KINDS: usize = 5;
    (0..KINDS.pow(u32::try_from(length).unwrap_or(0))).map(move |mut code| {
        let mut elements = Vec::new();
        for place in (0..).take(length) {
            elements.push(match code % KINDS {
                0 => Equal(place),
                1 => Differs(place),
                2 => Outside(place),
                3 => Absent(place),
                _ => Equal(0),
            });
            code /= KINDS;
        }
        elements
    })
}

fn places(context: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for (i, kind) in kinds(context.kernel).iter().enumerate() {
        let table = Table::new(kind.shape(20), 5)?;
        // All of four on one map is enough.
        for length in 0..=if i == 0 { 4 } else { 3 } {
            for elements in all_batches(length) {
                let made = table.make(&elements, 8..12);
                let problem = table.try_batch(&made, &made.batch(), Wanted::Done)?;
                tally.case(format_args!("{}, {elements:?}", kind.name), problem);
            }
        }
    }
    Ok(tally.verdict())
}

/// Elements of every kind in turn, of `entries` entries; every seventh is one that came before.
pub fn mixture(entries: u32, count: u32) -> Vec<Element> {
    let element = |i: u32| {
        let entry = i % entries;
        match i % 7 {
            0 | 4 => Equal(entry),
            1 => Differs(entry),
            2 => Outside(entry),
            3 => Absent(i),
            5 => Differs(entry),
            _ => Equal(entry.saturating_sub(5)),
        }
    };
    (0..count).map(element).collect()
}

fn chunks(context: &Context) -> Result<Verdict> {
    const ENTRIES: u32 = 1000;
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for kind in kinds(context.kernel).iter().step_by(2) {
        let table = Table::new(kind.shape(24), ENTRIES)?;
        for count in [1, 2, 63, 64, 65, 127, 128, 129, 192, 257, ENTRIES] {
            // Aligned, which the kernel copies in a special way, and not.
            for window in [8..12, 16..24, 3..10] {
                let made = table.make(&mixture(ENTRIES, count), window.clone());
                let problem = table.try_batch(&made, &made.batch(), Wanted::Done)?;
                tally.case(format_args!("{}, {count} elements, window {window:?}", kind.name), problem);
            }
        }
    }
    Ok(tally.verdict())
}

/// A chunk holds 64 elements, or as many as take 16 KiB, one at least.
fn small_chunks(_: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for (key_size, value_size, around) in [
        (4, 1, 64),
        (4, 1024, 15),
        (4, 1016, 16),
        (500, 24, 31),
        (4, 8192, 1),
        (8, 20_000, 1),
        (300, 40_000, 1),
    ] {
        let table = Table::new(Shape { key_size, ..Shape::hash(value_size, 0) }, 70)?;
        for count in [1, 2, around - 1, around, around + 1, 2 * around, 2 * around + 1] {
            // The whole value.
            let elements: Vec<_> =
                mixture(70, count).into_iter().filter(|element| !matches!(element, Outside(_))).collect();
            let made = table.make(&elements, 0..value_size);
            let problem = table.try_batch(&made, &made.batch(), Wanted::Done)?;
            tally.case(format_args!("keys of {key_size}, values of {value_size}, {count} elements"), problem);
        }
    }
    Ok(tally.verdict())
}

fn windows(context: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for kind in kinds(context.kernel).iter().step_by(2) {
        for value_size in [1, 4, 5, 8, 12, 17, 24] {
            let table = Table::new(kind.shape(value_size), 4)?;
            for start in 0..value_size {
                for end in start + 1..=value_size {
                    let elements = [Outside(0), Differs(1), Differs(2), Equal(3)];
                    let made = table.make(&elements, start..end);
                    let problem = table.try_batch(&made, &made.batch(), Wanted::Done)?;
                    tally.case(format_args!("{}, {start}..{end} of {value_size}", kind.name), problem);
                }
            }
        }
    }
    Ok(tally.verdict())
}

/// The expected bytes are those in `values` at the element's own place, bit by bit.
fn single_bits(context: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for kind in kinds(context.kernel).iter().step_by(2) {
        let table = Table::new(kind.shape(24), 3)?;
        for window in [8..12_u32, 16..24, 3..10, 0..24] {
            for bit in 0..(window.end - window.start) * 8 {
                // The model takes the middle one for one that differs.
                let mut made = table.make(&[Equal(0), Equal(1), Equal(2)], window.clone());
                made.elements[1] = Differs(1);
                made.values[(24 + window.start + bit / 8) as usize] ^= 1 << (bit % 8);
                let problem = table.try_batch(&made, &made.batch(), Wanted::Done)?;
                tally.case(format_args!("{}, window {window:?}, bit {bit}", kind.name), problem);
            }
        }
    }
    Ok(tally.verdict())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_batches_are_all() {
        let two: Vec<_> = all_batches(2).collect();
        assert_eq!(two.len(), 25);
        assert!(two.contains(&vec![Absent(0), Equal(0)]) && two.contains(&vec![Outside(0), Differs(1)]));
        assert_eq!(all_batches(0).collect::<Vec<_>>(), [Vec::new()]);
    }
}
