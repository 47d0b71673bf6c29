// SPDX-License-Identifier: MIT OR Apache-2.0
//! One compare-and-delete, from arguments to report.

use std::os::fd::AsFd;

use cmpdel_uapi::{Map, Support, map_type_name, probe};

use crate::args::Delete;
use crate::bytes::Given;
use crate::diff::Difference;
use crate::open::{Of, layout, open};
use crate::outcome::{Failure, Outcome};
use crate::output::{MapReport, Report, WindowReport};
use crate::window::{Choice, Window, assumed_zero, key, window};

/// What to try where a map is not permitted.
pub const FD_MEND: &str = "the map may be frozen, or open to reading or writing alone";

/// Carries out what `args` say. Whatever goes wrong is in the report.
#[must_use]
pub fn delete(args: &Delete) -> Report {
    let mut report = Report::new(args.dry_run);
    match fill(args, &mut report) {
        Ok(outcome) => report.outcome = outcome,
        Err(Failure { outcome, message }) => {
            report.outcome = outcome;
            report.error = Some(message);
        }
    }
    report
}

/// Does it, and notes in the report how far it came.
fn fill(args: &Delete, report: &mut Report) -> Result<Outcome, Failure> {
    let (Some(given_key), Some(given_value)) = (&args.key, &args.expect) else {
        return Err(Failure::usage("--key and --expect must be given"));
    };
    if (given_key, given_value) == (&Given::Stdin, &Given::Stdin) {
        return Err(Failure::usage("--key and --expect cannot both be read from standard input"));
    }
    let fd = open(&args.map)?;
    let map = Map::new(fd.as_fd()).map_err(|e| Failure::from_uapi("asking for the map", &e, FD_MEND))?;
    let info = map.info();
    report.map =
        Some(MapReport { id: info.id, name: info.name.clone(), map_type: map_type_name(info.map_type) });

    let key = key(given_key, info.key_size, || layout(info, Of::Key))?;
    let key_assumed = assumed_zero(&key.assumed).map(|what| format!("of the key, {what}"));
    let key = key.bytes;
    report.key = Some(key.clone());
    let choice = Choice { offset: args.offset, size: args.size, field: args.field.as_deref() };
    let window = window(given_value, choice, info.value_size, || layout(info, Of::Value))?;
    report.window = Some(WindowReport::new(&window, args.field.clone()));
    let value_assumed = assumed_zero(&window.assumed).map(|what| format!("of the value, {what}"));

    let sent = cmpdel_uapi::Window::at(window.offset, &window.expected);
    let outcome = if args.dry_run {
        dry_run(&map, &key, &window, report)?
    } else {
        match map.delete_if_eq(&key, sent) {
            Ok(cmpdel_uapi::Outcome::Deleted) => Outcome::Deleted,
            Ok(cmpdel_uapi::Outcome::Absent) => Outcome::Absent,
            Ok(cmpdel_uapi::Outcome::Mismatch) => {
                explain(&map, &key, &window, report);
                Outcome::Kept
            }
            Err(error) => return Err(Failure::from_uapi("compare-and-delete", &error, FD_MEND)),
        }
    };
    // Where it may be the reason.
    let assumed = match outcome {
        Outcome::Absent => key_assumed,
        Outcome::Kept => value_assumed,
        _ => None,
    };
    let notes: Vec<_> = report.note.take().into_iter().chain(assumed).collect();
    report.note = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(outcome)
}

/// What the real thing would say at this moment.
fn dry_run(map: &Map<'_>, key: &[u8], window: &Window, report: &mut Report) -> Result<Outcome, Failure> {
    map.check().map_err(|e| Failure::from_uapi("compare-and-delete", &e, FD_MEND))?;
    let value = map.lookup(key).map_err(|e| Failure::from_uapi("looking the entry up", &e, FD_MEND))?;
    let Some(actual) = value.as_deref().map(|value| part(value, window)) else { return Ok(Outcome::Absent) };
    if actual == window.expected {
        return Ok(Outcome::WouldBeDeleted);
    }
    report.difference = Some(difference(map, window, actual));
    Ok(Outcome::Kept)
}

/// Looks up what is there now. The kernel said that the window differed; it may have changed again since.
fn explain(map: &Map<'_>, key: &[u8], window: &Window, report: &mut Report) {
    match map.lookup(key) {
        Ok(Some(value)) if part(&value, window) == window.expected => {
            report.note = Some("it is equal again at a later look-up: somebody is writing to it".into());
        }
        Ok(Some(value)) => {
            report.note = Some("as a later look-up shows it".into());
            report.difference = Some(difference(map, window, part(&value, window)));
        }
        Ok(None) => report.note = Some("it is gone at a later look-up: somebody else removed it".into()),
        Err(error) => report.note = Some(format!("what it holds cannot be shown: {error}")),
    }
}

/// With field names, where the map has BTF and it may be read.
fn difference(map: &Map<'_>, window: &Window, actual: &[u8]) -> Difference {
    let layout = layout(map.info(), Of::Value).ok();
    Difference::new(window.offset as usize, &window.expected, actual, layout.as_ref())
}

/// The bytes of the window in a value.
fn part<'a>(value: &'a [u8], window: &Window) -> &'a [u8] {
    let start = window.offset as usize;
    value.get(start..start + window.expected.len()).unwrap_or_default()
}

/// Whether this kernel has compare-and-delete.
///
/// # Errors
/// Where it cannot be found out.
pub fn support() -> Result<Support, Failure> {
    let mend = "bpf(2) is refused to this process: run as root or with CAP_BPF";
    probe().map_err(|error| Failure::from_uapi("asking the kernel", &error, mend))
}
