// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that ends in the middle of a batch. The batch ends at the very element: count and statuses are true, and
//! nothing beyond is deleted.

use anyhow::Result;
use cmpdel_uapi_raw::{Batch, Ptr};

use super::elements::mixture;
use super::missing;
use super::table::{Made, Table, Wanted};
use crate::Context;
use crate::errno::EFAULT;
use crate::fixture::kinds;
use crate::verdict::{On, Tally, Test, Verdict};

const VALUE_SIZE: usize = 24;
const ENTRIES: u32 = 80;

/// Where the memory ends, in elements: around the start, a chunk of 64, and the end.
const ENDS: [usize; 9] = [0, 1, 2, 31, 63, 64, 65, 66, 79];

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("batch::keys_that_end_half_way_end_the_batch_there", On::Series, keys),
        Test::new("batch::values_that_end_half_way_end_the_batch_there", On::Series, values),
        Test::new("batch::statuses_that_end_half_way_end_the_batch_there", On::Series, statuses),
        Test::new("batch::values_are_read_in_their_windows_alone", On::Series, last_window),
        Test::new("batch::pointers_to_nothing_delete_nothing", On::Series, nothing),
    ]
}

/// Runs `case` on a mixture of elements in a hash and an LRU hash, for an aligned and another window.
fn on_each(
    context: &Context,
    mut case: impl FnMut(&Table, &Made, &str, &mut Tally) -> Result<()>,
) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for kind in kinds(context.kernel).iter().step_by(2) {
        let table = Table::new(kind.shape(24), ENTRIES)?;
        for window in [8..12, 5..11] {
            let made = table.make(&mixture(ENTRIES, ENTRIES), window.clone());
            case(&table, &made, &format!("{}, window {window:?}", kind.name), &mut tally)?;
        }
    }
    Ok(tally.verdict())
}

fn keys(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for (end, more) in ENDS.into_iter().flat_map(|end| [(end, 0), (end, 3)]) {
            let batch = Batch { keys: Ptr::Bytes(&made.keys[..end * 4 + more]), ..made.batch() };
            let problem = table.try_batch(made, &batch, Wanted::Ended(end, EFAULT))?;
            tally.case(format_args!("{name}, {end} keys and {more} bytes"), problem);
        }
        Ok(())
    })
}

fn values(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        let window = made.window.start as usize..made.window.end as usize;
        for end in ENDS {
            for more in [0, window.start, window.start + 1, window.end - 1] {
                let bytes = &made.values[..end * VALUE_SIZE + more];
                let batch = Batch { values: Ptr::Bytes(bytes), ..made.batch() };
                let problem = table.try_batch(made, &batch, Wanted::Ended(end, EFAULT))?;
                tally.case(format_args!("{name}, {end} values and {more} bytes"), problem);
            }
        }
        Ok(())
    })
}

fn statuses(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for (end, more) in ENDS.into_iter().flat_map(|end| [(end, 0), (end, 2)]) {
            let room = vec![0x55; end * 4 + more];
            let batch = Batch { statuses: Ptr::Bytes(&room), ..made.batch() };
            let problem = table.try_batch(made, &batch, Wanted::Ended(end, EFAULT))?;
            tally.case(format_args!("{name}, room for {end} and {more} bytes"), problem);
        }
        // What ends first, ends it.
        let room = vec![0x55; 5 * 4];
        let short =
            Batch { keys: Ptr::Bytes(&made.keys[..9 * 4]), statuses: Ptr::Bytes(&room), ..made.batch() };
        let problem = table.try_batch(made, &short, Wanted::Ended(5, EFAULT))?;
        tally.case(format_args!("{name}, 9 keys and room for 5"), problem);
        Ok(())
    })
}

/// The bytes behind the last window are not there, nor missed.
fn last_window(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for count in [1, 2, 64, 65, ENTRIES as usize] {
            let mut made = table.make(&made.elements[..count], made.window.clone());
            made.values.truncate((count - 1) * VALUE_SIZE + made.window.end as usize);
            let problem = table.try_batch(&made, &made.batch(), Wanted::Done)?;
            tally.case(format_args!("{name}, {count} elements"), problem);
        }
        Ok(())
    })
}

fn nothing(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for pointer in [Ptr::Null, Ptr::Unmapped, Ptr::Kernel] {
            for (what, batch) in [
                ("keys", Batch { keys: pointer, ..made.batch() }),
                ("values", Batch { values: pointer, ..made.batch() }),
                ("statuses", Batch { statuses: pointer, ..made.batch() }),
            ] {
                let problem = table.try_batch(made, &batch, Wanted::Ended(0, EFAULT))?;
                tally.case(format_args!("{name}, {what} at {pointer:?}"), problem);
            }
        }
        Ok(())
    })
}
