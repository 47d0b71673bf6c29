// SPDX-License-Identifier: MIT OR Apache-2.0
//! The window is compared whole and nothing else is: wherever it lies and however long it is.

use anyhow::Result;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::Single;

use crate::errno::{E2BIG, EINVAL};
use crate::fixture::Expect::{Deleted, Differs, Kept};
use crate::fixture::{Scratch, Shape, TARGET, kinds};
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("windows::of_1_to_64_bytes_are_compared_whole_at_every_place", On::Series, sizes),
        Test::new("windows::of_64_bytes_pass_and_of_65_say_e2big", On::Series, longest),
        Test::new("windows::in_small_values_are_compared_at_every_offset", On::Series, every_offset),
        Test::new("windows::differ_by_a_single_bit", On::Series, single_bits),
        Test::new("windows::ignore_every_byte_outside", On::Series, bytes_outside),
        Test::new("windows::are_found_behind_keys_of_any_size", On::Series, key_sizes),
        Test::new("windows::are_found_at_the_far_end_of_a_large_value", On::Series, large_value),
        Test::new("windows::are_refused_as_a_whole_without_the_series", On::Both, refused_on_base),
    ]
}

/// Bytes in the longest window there is.
const LONGEST: usize = 64;

/// A scratch map, of which the target is what matters.
struct Target {
    scratch: Scratch,
}

impl Target {
    fn new(shape: Shape) -> Result<Self> {
        Ok(Self { scratch: Scratch::new(shape)? })
    }

    fn key(&self) -> &[u8] {
        self.scratch.key(TARGET)
    }

    fn value(&self) -> &[u8] {
        self.scratch.value(TARGET)
    }

    fn delete<'a>(&'a self, offset: usize, expected: &'a [u8]) -> Single<'a> {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Single::compare(self.scratch.raw_fd(), self.key(), offset, expected)
    }

    /// Spoils the window at its first, middle and last byte, which keeps the entry, and then deletes it with the true one.
    /// With the series that has updates, replaces it in the same way.
    fn try_window(&self, tally: &mut Tally, offset: usize, size: usize) -> Result<()> {
        let mut expected = self.value()[offset..offset + size].to_vec();
        let mut spoilt = vec![0, size / 2, size - 1];
        spoilt.dedup();
        for at in spoilt {
            expected[at] ^= 0x80;
            let call = self.delete(offset, &expected);
            let name = format!("{size} bytes at {offset}, byte {at} differs");
            self.scratch.try_both(tally, name, &call, Differs, Kernel::Series)?;
            expected[at] ^= 0x80;
        }
        let (name, call) = (format!("{size} bytes at {offset}, equal"), self.delete(offset, &expected));
        self.scratch.try_both(tally, name, &call, Deleted, Kernel::Series)
    }
}

fn sizes(context: &Context) -> Result<Verdict> {
    const VALUE_SIZE: usize = 4104;
    let mut tally = Tally::default();
    // The lists of an LRU map matter elsewhere: one kind of it is enough.
    for kind in kinds(context.kernel).iter().take(3) {
        let target = Target::new(kind.shape(4104))?;
        for size in 1..=LONGEST {
            // Start, one off it, a middle that is aligned and one that is not, end.
            let middle = ((VALUE_SIZE - size) / 2) & !7;
            let mut offsets = vec![0, 1, middle, middle + 3, VALUE_SIZE - size];
            offsets.retain(|offset| offset + size <= VALUE_SIZE);
            offsets.sort_unstable();
            offsets.dedup();
            for offset in offsets {
                target.try_window(&mut tally, offset, size)?;
            }
        }
    }
    Ok(tally.verdict())
}

/// Whatever the value is, and before the window is looked for in it.
fn longest(context: &Context) -> Result<Verdict> {
    if Series::of_this_kernel() == Series::Rfc {
        return Ok(Verdict::Skip("this series has no longest window".into()));
    }
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        for value_size in [64, 65, 200] {
            let (name, target) = (kind.name, Target::new(kind.shape(value_size))?);
            let whole = target.value().len();
            target.try_window(&mut tally, 0, LONGEST)?;
            target.try_window(&mut tally, whole - LONGEST, LONGEST)?;
            let zeroes = vec![0; 300];
            for size in [LONGEST + 1, LONGEST + 2, 128, 200, 256, 300] {
                for expected in [&zeroes[..size], target.value()] {
                    let size = u32::try_from(size)?;
                    let compare = Single { compare_size: size, ..target.delete(0, expected) };
                    let name = format!("{name}, {size} bytes of {whole}");
                    target.scratch.try_both(&mut tally, name, &compare, Kept(E2BIG), context.kernel)?;
                }
            }
        }
    }
    Ok(tally.verdict())
}

fn every_offset(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for value_size in [1, 2, 3, 5, 8, 12, 17] {
        let target = Target::new(Shape::hash(value_size, 0))?;
        let whole = value_size as usize;
        // Up to the end of the slot, which is rounded up to 8 bytes: its tail is no part of the value.
        for (offset, size) in (0..=whole).flat_map(|offset| (1..=whole + 7).map(move |size| (offset, size))) {
            if offset + size <= whole {
                target.try_window(&mut tally, offset, size)?;
            } else {
                let zeroes = vec![0; size];
                let problem = target.scratch.try_call(&target.delete(offset, &zeroes), Kept(EINVAL))?;
                tally.case(format_args!("{size} bytes at {offset} of {whole}"), problem);
            }
        }
    }
    Ok(tally.verdict())
}

fn single_bits(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let target = Target::new(Shape::hash(32, 0))?;
    for (offset, size) in [(0, 1), (2, 2), (4, 4), (8, 8), (9, 8), (0, 32)] {
        for bit in 0..size * 8 {
            let mut expected = target.value()[offset..offset + size].to_vec();
            expected[bit / 8] ^= 1 << (bit % 8);
            let problem = target.scratch.try_call(&target.delete(offset, &expected), Differs)?;
            tally.case(format_args!("{size} bytes at {offset}, bit {bit}"), problem);
        }
    }
    Ok(tally.verdict())
}

/// The bytes around the window change between look-up and delete; the window does not.
fn bytes_outside(context: &Context) -> Result<Verdict> {
    const VALUE_SIZE: usize = 56;
    let mut tally = Tally::default();
    for kind in kinds(context.kernel).iter().take(3) {
        let (name, target) = (kind.name, Target::new(kind.shape(56))?);
        for (offset, size) in [(0, 4), (32, 4), (36, 2), (48, 8), (13, 11), (55, 1)] {
            for at in (0..VALUE_SIZE).filter(|at| !(offset..offset + size).contains(at)) {
                let mut refreshed = target.value().to_vec();
                refreshed[at] ^= 0xff;
                let exist = abi::BPF_EXIST.into();
                cmpdel_uapi_raw::update(target.scratch.fd(), target.key(), &refreshed, exist)?;
                let expected = &target.value()[offset..offset + size];
                let problem = target.scratch.try_call(&target.delete(offset, expected), Deleted)?;
                tally.case(format_args!("{name}, {size} bytes at {offset}, byte {at} changed"), problem);
            }
        }
    }
    Ok(tally.verdict())
}

/// The value lies behind the key, which is rounded up to 8 bytes.
fn key_sizes(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for key_size in [1, 2, 3, 4, 7, 8, 9, 14, 16, 38, 64, 500] {
        let target = Target::new(Shape { key_size, ..Shape::hash(24, 0) })?;
        for (offset, size) in [(0, 24), (0, 8), (16, 8), (20, 4), (7, 3)] {
            target.try_window(&mut tally, offset, size)?;
        }
    }
    Ok(tally.verdict())
}

fn large_value(_: &Context) -> Result<Verdict> {
    const VALUE_SIZE: usize = 256 * 1024;
    let mut tally = Tally::default();
    let target = Target::new(Shape::hash(256 * 1024, 0))?;
    for (offset, size) in [(0, LONGEST), (VALUE_SIZE - 4, 4), (VALUE_SIZE - LONGEST, LONGEST), (65_535, 61)] {
        target.try_window(&mut tally, offset, size)?;
    }
    Ok(tally.verdict())
}

fn refused_on_base(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, target) = (kind.name, Target::new(kind.shape(64))?);
        for (offset, size) in [(0, 64), (0, 8), (8, 4), (60, 4), (3, 5)] {
            let expected = &target.value()[offset..offset + size];
            let expect = Deleted.unless_base(context.kernel);
            let problem = target.scratch.try_call(&target.delete(offset, expected), expect)?;
            tally.case(format_args!("{name}, {size} bytes at {offset}"), problem);
        }
    }
    Ok(tally.verdict())
}
