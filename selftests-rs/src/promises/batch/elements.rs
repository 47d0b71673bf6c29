// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every kind of element in every place, batches of every size, every window, and expected bytes wherever they may lie.

use anyhow::Result;

use cmpdel_uapi_raw::Batch;

use super::missing;
use super::table::Element::{self, Absent, Differs, Equal, Outside};
use super::table::{COMMANDS, Table, Wanted};
use crate::Context;
use crate::errno::{E2BIG, EFAULT, EINVAL};
use crate::fixture::{Shape, kinds};
use crate::verdict::{On, Tally, Test, Verdict};

// Where every kind of map would be much of the same, one of the hash and one of the LRU hash are tried.

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("batch::each_kind_of_element_in_each_place_gets_its_due", On::Series, places),
        Test::new("batch::are_dealt_with_whole_whatever_their_size", On::Series, sizes),
        Test::new("batch::keys_and_values_of_any_size_are_told_apart", On::Series, large_elements),
        Test::new("batch::expected_bytes_lie_a_stride_apart", On::Series, strides),
        Test::new("batch::a_window_has_64_bytes_at_most", On::Series, longest),
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
                table.try_both(
                    &mut tally,
                    format_args!("{}, {elements:?}", kind.name),
                    &made,
                    Wanted::Done,
                )?;
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

fn sizes(context: &Context) -> Result<Verdict> {
    const ENTRIES: u32 = 1000;
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for kind in kinds(context.kernel).iter().step_by(2) {
        let table = Table::new(kind.shape(24), ENTRIES)?;
        for count in [1, 2, 63, 64, 65, 127, 128, 129, 257, ENTRIES] {
            // Aligned, which the kernel loads at once, and not.
            for window in [8..12, 16..24, 3..10] {
                let made = table.make(&mixture(ENTRIES, count), window.clone());
                let name = format!("{}, {count} elements, window {window:?}", kind.name);
                table.try_both(&mut tally, name, &made, Wanted::Done)?;
            }
        }
    }
    Ok(tally.verdict())
}

/// Keys and values that need more than a page, and those whose sizes are no multiples of 8.
fn large_elements(_: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for (key_size, value_size) in
        [(4, 1), (4, 1024), (4, 1017), (500, 24), (501, 23), (4, 8192), (8, 20_000), (300, 40_000)]
    {
        let table = Table::new(Shape { key_size, ..Shape::hash(value_size, 0) }, 20)?;
        let length = value_size.min(64);
        for window in [0..length, value_size - length..value_size] {
            // There is nothing outside of a whole value.
            let elements = mixture(20, 20);
            let elements: Vec<_> =
                elements.into_iter().filter(|element| !matches!(element, Outside(_))).collect();
            let made = table.make(&elements, window.clone());
            let name = format!("keys of {key_size}, values of {value_size}, window {window:?}");
            table.try_both(&mut tally, name, &made, Wanted::Done)?;
        }
    }
    Ok(tally.verdict())
}

/// In whole values, side by side, with gaps, and one for all; less than a window is refused.
fn strides(context: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for kind in kinds(context.kernel).iter().step_by(2) {
        let table = Table::new(kind.shape(24), 40)?;
        for window in [8..12, 16..24, 3..10, 0..24, 23..24] {
            let (made, length) = (table.make(&mixture(40, 40), window.clone()), window.end - window.start);
            for gap in [0, 1, 4, 8, 57, 4096] {
                let (packed, stride) = (made.packed(gap as usize), length + gap);
                for command in COMMANDS {
                    let batch = made.of_expected(command, &packed, stride);
                    let problem = table.try_batch(&made, &batch, Wanted::Done)?;
                    let name = format!("{}, {command:?}, window {window:?}", kind.name);
                    tally.case(format_args!("{name}, stride {stride}"), problem);
                    for short in [0, 1, length / 2, length - 1].into_iter().filter(|&short| short < length) {
                        let batch = Batch { compare_stride: short, ..batch };
                        let problem = table.try_batch(&made, &batch, Wanted::Refused(EINVAL))?;
                        tally.case(format_args!("{name}, stride {short} of {length}"), problem);
                    }
                }
            }
        }
        // As far as a stride goes: the second element's bytes are where nothing is.
        let made = table.make(&[Equal(0), Equal(1)], 8..12);
        for command in COMMANDS {
            let batch = Batch { compare_stride: u32::MAX, ..made.batch(command) };
            let problem = table.try_batch(&made, &batch, Wanted::Ended(1, EFAULT))?;
            tally.case(format_args!("{}, {command:?}, stride u32::MAX", kind.name), problem);
        }
    }
    Ok(tally.verdict())
}

fn longest(context: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        for value_size in [64, 65, 130] {
            let table = Table::new(kind.shape(value_size), 4)?;
            let elements = [Equal(0), Differs(1), Absent(0), Equal(3)];
            for start in [0, value_size - 64] {
                let name = format!("{}, 64 bytes at {start} of {value_size}", kind.name);
                table.try_both(&mut tally, name, &table.make(&elements, start..start + 64), Wanted::Done)?;
            }
            let made = table.make(&elements, 0..64);
            for compare_size in [65, 66, 128, 256, 4096, u32::MAX] {
                for command in COMMANDS {
                    let batch = Batch { compare_size, compare_stride: compare_size, ..made.batch(command) };
                    let problem = table.try_batch(&made, &batch, Wanted::Refused(E2BIG))?;
                    tally.case(format_args!("{}, {command:?}, {compare_size} bytes", kind.name), problem);
                }
            }
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
                    table.try_both(
                        &mut tally,
                        format_args!("{}, {start}..{end} of {value_size}", kind.name),
                        &made,
                        Wanted::Done,
                    )?;
                }
            }
        }
    }
    Ok(tally.verdict())
}

/// The expected bytes are those at the element's own place, bit by bit.
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
                made.seen[(24 + window.start + bit / 8) as usize] ^= 1 << (bit % 8);
                table.try_both(
                    &mut tally,
                    format_args!("{}, window {window:?}, bit {bit}", kind.name),
                    &made,
                    Wanted::Done,
                )?;
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
