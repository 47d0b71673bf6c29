// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel set`: one compare-and-update. Where the new value is not given whole, it is the one that a look-up has found but for
//! what was named; then all of what was found is compared, so that no update between the two is undone.

use std::ops::Range;

use cmpdel_uapi::{Error, MAX_WINDOW, Updated};

use crate::args::Set;
use crate::image::Image;
use crate::layout::Of;
use crate::open::layout;
use crate::outcome::{Failure, Outcome};
use crate::output::Report;
use crate::run::{FD_MEND, Found, Look, explain, read, run};
use crate::window::new_value;

/// How often an entry may change between look-up and update, in all but what is expected of it.
const TRIES: u32 = 1000;

/// Carries out what `args` say. Whatever goes wrong is in the report.
#[must_use]
pub fn set(args: &Set) -> Report {
    run(&args.entry, Some(&args.value), |found, report| {
        let info = found.map.info();
        let value_layout = || layout(info, Of::Value);
        let value = read("--value", &args.value)?;
        let new = new_value(value, args.entry.choice(), &found.window, info.value_size, value_layout)?;
        let compared = compared(args, found, &new)?;
        found.map.check_update(compared.clone()).map_err(|error| refused(&error, new.is_whole()))?;
        if args.entry.dry_run {
            return Ok(match found.look(report)? {
                Look::Equal(seen) => {
                    report.new_value = Some(new.over(&seen));
                    Outcome::WouldBeSet
                }
                Look::Differs => Outcome::Kept,
                Look::Absent => Outcome::Absent,
            });
        }
        if new.is_whole() { replace(found, &new, report) } else { change(found, &new, &compared, report) }
    })
}

/// Which bytes the kernel compares.
fn compared(args: &Set, found: &Found<'_>, new: &Image) -> Result<Range<u32>, Failure> {
    let value_size = found.map.info().value_size;
    if new.is_whole() || args.rest_as_seen {
        return Ok(found.window.range());
    }
    if value_size > MAX_WINDOW {
        return Err(Failure::usage(format!(
            "values of this map have {value_size} bytes, and the kernel compares {MAX_WINDOW} at most: what an update gives another \
             field meanwhile would be undone. Say --rest-as-seen, or expect fields as JSON and give a whole \
             value (bytes, @FILE)"
        )));
    }
    Ok(0..value_size)
}

fn refused(error: &Error, whole: bool) -> Failure {
    match error {
        Error::ManagedField { .. } if !whole => Failure::usage(format!(
            "{error}; without --rest-as-seen all of the value is compared, so that no update is undone"
        )),
        _ => Failure::from_update(error, FD_MEND),
    }
}

/// All of the new value was given.
fn replace(found: &Found<'_>, new: &Image, report: &mut Report) -> Result<Outcome, Failure> {
    let Found { map, key, window } = found;
    let value = new.over(&vec![0; map.info().value_size as usize]);
    let updated = map.update_if_eq(key, &value, window.sent()).map_err(|error| refused(&error, true))?;
    report.new_value = Some(value);
    Ok(match updated {
        Updated::Replaced => Outcome::Set,
        Updated::Absent => Outcome::Absent,
        Updated::Mismatch => {
            explain(map, key, window, report);
            Outcome::Kept
        }
    })
}

/// A part of it was: the rest is what a look-up finds, as long as that stays so.
fn change(
    found: &Found<'_>,
    new: &Image,
    compared: &Range<u32>,
    report: &mut Report,
) -> Result<Outcome, Failure> {
    for _ in 0..TRIES {
        let seen = match found.look(report)? {
            Look::Equal(seen) => seen,
            Look::Differs => return Ok(Outcome::Kept),
            Look::Absent => return Ok(Outcome::Absent),
        };
        let value = new.over(&seen);
        let expected = seen.get(compared.start as usize..compared.end as usize).unwrap_or_default();
        let window = cmpdel_uapi::Window::at(compared.start, expected);
        let updated =
            found.map.update_if_eq(&found.key, &value, window).map_err(|error| refused(&error, false))?;
        report.new_value = Some(value);
        match updated {
            Updated::Replaced => return Ok(Outcome::Set),
            Updated::Absent => return Ok(Outcome::Absent),
            Updated::Mismatch => {}
        }
    }
    Err(Failure::other(format!(
        "what is expected still holds, and nothing was changed: the rest of the value is written to so often that {TRIES} look-ups \
         in a row were out of date. Try again, or say --rest-as-seen"
    )))
}
