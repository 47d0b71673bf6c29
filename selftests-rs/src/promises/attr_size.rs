// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel takes the bytes of the attribute that it is not told of for zero. So a short attribute loses the flag, or
//! the window, or half of one: what then happens is part of the ABI.

use anyhow::Result;
use cmpdel_uapi_raw::Single;

use crate::errno::{E2BIG, EINVAL};
use crate::fixture::Expect::{self, Deleted, Differs, Kept};
use crate::fixture::{Scratch, Shape, TARGET, kinds};
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

const VALUE_SIZE: u32 = 300;

/// Where the fields of the command end that matter here. Bytes of `flags` and `compare_size` beyond the first are zero
/// in a window below 256 bytes, on a little-endian machine.
const KEY_END: u32 = 16;
const FLAG_BYTE: u32 = 24;
const SIZE_BYTE: u32 = 44;
const LAST_FIELD_END: u32 = 48;
const PAGE: u32 = 4096;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("attr_size::the_flag_counts_from_the_byte_that_holds_it", On::Both, every_size),
        Test::new("attr_size::a_size_cut_in_half_is_the_lower_half", On::Both, half_a_size),
        Test::new("attr_size::a_plain_delete_works_in_every_size", On::Both, plain),
    ]
}

fn sizes() -> impl Iterator<Item = u32> {
    (KEY_END..=200).chain([255, 256, 1024, PAGE - 1, PAGE, PAGE + 1])
}

fn expect(kernel: Kernel, size: u32, equal: bool) -> Expect {
    match (kernel, size) {
        // As ever: without its flags the command is the plain delete.
        (_, ..=FLAG_BYTE) => Deleted,
        (_, PAGE..) if size > PAGE => Kept(E2BIG),
        (Kernel::Base, _) | (_, ..=SIZE_BYTE) => Kept(EINVAL),
        (Kernel::Series, _) if equal => Deleted,
        (Kernel::Series, _) => Differs,
    }
}

fn every_size(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(VALUE_SIZE))?);
        let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
        for size in sizes() {
            for (kind, equal, expected) in [("equal", true, &value[8..16]), ("differs", false, &value[9..17])]
            {
                let delete = Single::compare(scratch.raw_fd(), key, 8, expected);
                let problem = scratch.try_sized(&delete, size, expect(context.kernel, size, equal))?;
                tally.case(format_args!("{name}, size {size}, window {kind}"), problem);
            }
        }
    }
    Ok(tally.verdict())
}

/// A window of 257 bytes, whose size field has two bytes, through attributes that end inside that field. It is too long,
/// but for the series that has no longest window.
fn half_a_size(context: &Context) -> Result<Verdict> {
    const WINDOW: usize = 257;
    let mut tally = Tally::default();
    let scratch = Scratch::new(Shape::hash(VALUE_SIZE, 0))?;
    let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
    let mut differs_behind_the_first = value[..WINDOW].to_vec();
    differs_behind_the_first[1] ^= 1;
    for size in SIZE_BYTE..=LAST_FIELD_END {
        let series = match size {
            SIZE_BYTE => Kept(EINVAL),
            // One byte of the size: a window of one byte, and that one is equal.
            45 => Deleted,
            _ if Series::of_this_kernel() == Series::Rfc => Differs,
            _ => Kept(E2BIG),
        };
        let delete = Single::compare(scratch.raw_fd(), key, 0, &differs_behind_the_first);
        let problem = scratch.try_sized(&delete, size, series.unless_base(context.kernel))?;
        tally.case(format_args!("size {size}"), problem);
    }
    Ok(tally.verdict())
}

fn plain(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(VALUE_SIZE))?);
        let key = scratch.key(TARGET);
        for size in sizes() {
            let delete = Single::plain(scratch.raw_fd(), key);
            let expect = if size > PAGE { Kept(E2BIG) } else { Deleted };
            tally.case(format_args!("{name}, size {size}"), scratch.try_sized(&delete, size, expect)?);
        }
    }
    Ok(tally.verdict())
}
