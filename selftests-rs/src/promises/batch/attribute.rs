// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel takes the bytes of the attribute that it is not told of for zero. So a short one loses the window, or the
//! flag: what then happens is part of the ABI, and the reason why nobody should send a short one.

use anyhow::Result;
use cmpdel_uapi_raw::COMPARE_BATCH_ATTR_SIZE;

use super::is_here;
use super::table::Element::{Absent, Differs, Equal, Outside};
use super::table::{COMMANDS, Table, Wanted};
use crate::Context;
use crate::errno::{E2BIG, EINVAL};
use crate::fixture::kinds;
use crate::verdict::{On, Tally, Test, Verdict};

/// Where the byte of `elem_flags` ends that holds the flag, and that of `compare_stride` that holds a small stride, on a
/// little-endian machine. Between them the window has no bytes, or a stride that is less than it.
const FLAG_BYTE: u32 = 41;
const STRIDE_BYTE: u32 = COMPARE_BATCH_ATTR_SIZE - 3;
const PAGE: u32 = 4096;

pub fn tests() -> Vec<Test> {
    vec![Test::new("batch::the_flag_counts_from_the_byte_that_holds_it", On::Both, every_size)]
}

fn every_size(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let table = Table::new(kind.shape(24), 4)?;
        for size in (FLAG_BYTE - 3..=168).chain([PAGE, PAGE + 1]) {
            let wanted = match size {
                // As ever: without its flags the command is the plain one, and does what it is told.
                ..FLAG_BYTE => Wanted::Unconditional,
                _ if size > PAGE => Wanted::Refused(E2BIG),
                STRIDE_BYTE.. if is_here(context.kernel) => Wanted::Done,
                _ => Wanted::Refused(EINVAL),
            };
            // The plain one would stop at an absent key.
            let elements = match wanted {
                Wanted::Unconditional => vec![Equal(0), Differs(1), Outside(2)],
                _ => vec![Equal(0), Differs(1), Absent(0), Outside(2)],
            };
            let made = table.make(&elements, 8..12);
            for command in COMMANDS {
                let problem = table.try_sized(&made, &made.batch(command), size, wanted)?;
                tally.case(format_args!("{}, {command:?}, size {size}", kind.name), problem);
            }
        }
    }
    Ok(tally.verdict())
}
