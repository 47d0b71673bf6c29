// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that ends in the middle of a batch, or has a hole there. The batch ends at the very element: count and statuses are
//! true, that element is kept, and nothing behind it is touched.

use anyhow::Result;
use cmpdel_uapi_raw::{Batch, Command, MAX_STATUSES, Ptr};

use super::elements::mixture;
use super::missing;
use super::table::Element::{Differs, Equal};
use super::table::{COMMANDS, Made, Table, Wanted};
use crate::Context;
use crate::errno::EFAULT;
use crate::fixture::{Shape, kinds};
use crate::verdict::{On, Tally, Test, Verdict};

const VALUE_SIZE: usize = 24;
/// So many that a kernel which takes some of them at a time takes them in several goes.
const ENTRIES: u32 = 130;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("batch::keys_that_end_half_way_end_the_batch_there", On::Series, keys),
        Test::new("batch::expected_bytes_that_end_half_way_end_the_batch_there", On::Series, expected),
        Test::new("batch::new_values_that_end_half_way_end_the_batch_there", On::Series, values),
        Test::new("batch::statuses_that_end_half_way_end_the_batch_there", On::Series, statuses),
        Test::new("batch::what_ends_first_ends_the_batch", On::Series, two_ends),
        Test::new("batch::what_lies_behind_a_hole_is_not_touched", On::Series, holes),
        Test::new("batch::statuses_behind_a_hole_are_not_written", On::Series, hole_in_statuses),
        Test::new("batch::expected_bytes_are_read_in_their_windows_alone", On::Series, last_window),
        Test::new("batch::pointers_to_nothing_do_nothing", On::Series, nothing),
    ]
}

/// Runs `case` on a mixture of elements in a hash, with an aligned window, and in an LRU hash, with another.
fn on_each(
    context: &Context,
    mut case: impl FnMut(&Table, &Made, &str, &mut Tally) -> Result<()>,
) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    for (kind, window) in kinds(context.kernel).iter().step_by(2).zip([8..12, 5..11]) {
        let table = Table::new(kind.shape(24), ENTRIES)?;
        let made = table.make(&mixture(ENTRIES, ENTRIES), window.clone());
        case(&table, &made, &format!("{}, window {window:?}", kind.name), &mut tally)?;
    }
    Ok(tally.verdict())
}

/// Both commands for every element at which memory may end, with each of `more` bytes of that element.
fn at_each_end(
    context: &Context,
    commands: &[Command],
    more: &[usize],
    spoil: impl for<'b> Fn(&'b Made, Batch<'b>, usize, usize) -> Batch<'b>,
) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for end in 0..ENTRIES as usize {
            for (&more, &command) in more.iter().flat_map(|more| commands.iter().map(move |c| (more, c))) {
                let batch = spoil(made, made.batch(command), end, more);
                let problem = table.try_batch(made, &batch, Wanted::Ended(end, EFAULT))?;
                tally.case(format_args!("{name}, {command:?}, {end} elements and {more} bytes"), problem);
            }
        }
        Ok(())
    })
}

fn keys(context: &Context) -> Result<Verdict> {
    at_each_end(context, &COMMANDS, &[0, 3], |made, batch, end, more| Batch {
        keys: Ptr::Bytes(&made.keys[..end * 4 + more]),
        ..batch
    })
}

fn expected(context: &Context) -> Result<Verdict> {
    at_each_end(context, &COMMANDS, &[0, 1, 3], |made, batch, end, more| Batch {
        compare: Ptr::Bytes(&made.expected()[..end * VALUE_SIZE + more]),
        ..batch
    })
}

fn values(context: &Context) -> Result<Verdict> {
    at_each_end(context, &[Command::Update], &[0, 1, VALUE_SIZE - 1], |made, batch, end, more| Batch {
        values: Ptr::Bytes(&made.new[..end * VALUE_SIZE + more]),
        ..batch
    })
}

fn statuses(context: &Context) -> Result<Verdict> {
    const ROOM: [u8; ENTRIES as usize * 4] = [0x55; ENTRIES as usize * 4];
    at_each_end(context, &COMMANDS, &[0, 2], |_, batch, end, more| Batch {
        statuses: Ptr::Bytes(&ROOM[..end * 4 + more]),
        ..batch
    })
}

fn two_ends(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for command in COMMANDS {
            let (room, good) = ([0x55; 9 * 4], made.batch(command));
            for (what, end, batch) in [
                ("9 keys", 5, Batch { keys: Ptr::Bytes(&made.keys[..9 * 4]), ..good }),
                ("9 windows", 5, Batch { compare: Ptr::Bytes(&made.expected()[..9 * VALUE_SIZE]), ..good }),
                ("3 keys", 3, Batch { keys: Ptr::Bytes(&made.keys[..3 * 4]), ..good }),
                ("3 windows", 3, Batch { compare: Ptr::Bytes(&made.expected()[..3 * VALUE_SIZE]), ..good }),
            ] {
                let batch = Batch { statuses: Ptr::Bytes(&room[..5 * 4]), ..batch };
                let problem = table.try_batch(made, &batch, Wanted::Ended(end, EFAULT))?;
                tally.case(format_args!("{name}, {command:?}, {what} and room for 5"), problem);
            }
        }
        Ok(())
    })
}

const PAGE: u32 = 4096;

/// Each key, window and new value has a page of its own, and one of the pages is missing.
fn holes(_: &Context) -> Result<Verdict> {
    const PAGES: u32 = 40;
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    let table = Table::new(Shape { key_size: PAGE, ..Shape::hash(PAGE, 0) }, PAGES)?;
    let elements: Vec<_> = (0..PAGES).map(|i| if i % 3 == 1 { Differs(i) } else { Equal(i) }).collect();
    let made = table.make(&elements, 0..8);
    for page in 0..PAGES as usize {
        for command in COMMANDS {
            let good = made.batch(command);
            let mut rows = vec![
                ("keys", Batch { keys: Ptr::Holed(&made.keys, page), ..good }),
                ("expected bytes", Batch { compare: Ptr::Holed(&made.seen, page), ..good }),
            ];
            if command == Command::Update {
                rows.push(("new values", Batch { values: Ptr::Holed(&made.new, page), ..good }));
            }
            for (what, batch) in rows {
                let problem = table.try_batch(&made, &batch, Wanted::Ended(page, EFAULT))?;
                tally.case(format_args!("{command:?}, no {what} of element {page}"), problem);
            }
        }
    }
    Ok(tally.verdict())
}

/// Three pages of statuses, of which one is missing.
fn hole_in_statuses(context: &Context) -> Result<Verdict> {
    const EACH: usize = PAGE as usize / 4;
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    let room = vec![0x55; MAX_STATUSES * 4];
    for kind in kinds(context.kernel).iter().step_by(2) {
        let table = Table::new(kind.shape(24), MAX_STATUSES.try_into()?)?;
        let elements: Vec<_> = (0..u32::try_from(MAX_STATUSES)?).map(Equal).collect();
        let made = table.make(&elements, 8..12);
        for (page, command) in (0..3).flat_map(|page| COMMANDS.map(|command| (page, command))) {
            let batch = Batch { statuses: Ptr::Holed(&room, page), ..made.batch(command) };
            let problem = table.try_batch(&made, &batch, Wanted::Ended(page * EACH, EFAULT))?;
            tally.case(format_args!("{}, {command:?}, page {page}", kind.name), problem);
        }
    }
    Ok(tally.verdict())
}

/// The bytes behind the last window are not there, nor missed.
fn last_window(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for count in [1, 2, 64, 65, ENTRIES as usize] {
            let mut made = table.make(&made.elements[..count], made.window.clone());
            made.seen.truncate((count - 1) * VALUE_SIZE + made.window.end as usize);
            table.try_both(tally, format_args!("{name}, {count} elements"), &made, Wanted::Done)?;
        }
        Ok(())
    })
}

fn nothing(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for (pointer, command) in [Ptr::Null, Ptr::Unmapped, Ptr::Kernel]
            .into_iter()
            .flat_map(|pointer| COMMANDS.map(|command| (pointer, command)))
        {
            let good = made.batch(command);
            for (what, batch) in [
                ("keys", Batch { keys: pointer, ..good }),
                ("expected bytes", Batch { compare: pointer, ..good }),
                ("statuses", Batch { statuses: pointer, ..good }),
            ] {
                let problem = table.try_batch(made, &batch, Wanted::Ended(0, EFAULT))?;
                tally.case(format_args!("{name}, {command:?}, {what} at {pointer:?}"), problem);
            }
        }
        for values in [Ptr::Null, Ptr::Unmapped, Ptr::Kernel] {
            let batch = Batch { values, ..made.batch(Command::Update) };
            let problem = table.try_batch(made, &batch, Wanted::Ended(0, EFAULT))?;
            tally.case(format_args!("{name}, new values at {values:?}"), problem);
        }
        Ok(())
    })
}
