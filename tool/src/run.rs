// SPDX-License-Identifier: MIT OR Apache-2.0
//! One entry that is dealt with if its window is equal, from arguments to report; and compare-and-delete.

use std::os::fd::AsFd;

use cmpdel_uapi::bindings::{BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH};
use cmpdel_uapi::{Error, Map, Support, map_type_name, probe, probe_update};

use crate::args::{Entry, Read};
use crate::bytes::Given;
use crate::diff::Difference;
use crate::layout::Of;
use crate::open::{layout, open};
use crate::outcome::{Failure, Outcome};
use crate::output::{Has, MapReport, Report, WindowReport};
use crate::window::{Window, assumed_zero, is_of, key, order_of_key, window};

/// What to try where a map is not permitted.
pub const FD_MEND: &str = "the map may be frozen, or open to reading or writing alone";

/// Deletes the entry that `args` say. Whatever goes wrong is in the report.
#[must_use]
pub fn delete(args: &Entry) -> Report {
    run(args, None, |entry, report| {
        let Found { map, key, window } = entry;
        let refused = |error| Failure::from_uapi("compare-and-delete", &error, FD_MEND);
        if args.dry_run {
            map.check_delete(window.range()).map_err(refused)?;
            return Ok(match entry.look(report)? {
                Look::Equal(_) => Outcome::WouldBeDeleted,
                Look::Differs => Outcome::Kept,
                Look::Absent => Outcome::Absent,
            });
        }
        Ok(match map.delete_if_eq(key, window.sent()).map_err(refused)? {
            cmpdel_uapi::Outcome::Deleted => Outcome::Deleted,
            cmpdel_uapi::Outcome::Absent => Outcome::Absent,
            cmpdel_uapi::Outcome::Mismatch => {
                explain(map, key, window, report);
                Outcome::Kept
            }
        })
    })
}

/// Finds the entry that `args` say, and has it dealt with; `new_value` is what it is to get, if anything. Whatever goes wrong is in
/// the report.
#[must_use]
pub fn run(
    args: &Entry,
    new_value: Option<&Read<Given>>,
    deal_with: impl FnOnce(&Found<'_>, &mut Report) -> Result<Outcome, Failure>,
) -> Report {
    let mut report = Report::new(args.dry_run);
    match fill(args, new_value, &mut report, deal_with) {
        Ok(outcome) => report.outcome = outcome,
        Err(Failure { outcome, message }) => {
            report.outcome = outcome;
            report.error = Some(message);
        }
    }
    report
}

/// The map, the key and the window that the command line says.
pub struct Found<'a> {
    /// The map.
    pub map: &'a Map<'a>,
    /// As long as its keys.
    pub key: Vec<u8>,
    /// Within its values.
    pub window: Window,
}

/// What a look-up has found.
pub enum Look {
    /// The window is equal; the whole value.
    Equal(Vec<u8>),
    /// The window differs, which the report says.
    Differs,
    /// There is no such key.
    Absent,
}

impl Found<'_> {
    /// Looks the entry up, and compares.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn look(&self, report: &mut Report) -> Result<Look, Failure> {
        let value = self
            .map
            .lookup(&self.key)
            .map_err(|e| Failure::from_uapi("looking the entry up", &e, FD_MEND))?;
        let Some(value) = value else { return Ok(Look::Absent) };
        let actual = part(&value, &self.window);
        if actual == self.window.expected {
            return Ok(Look::Equal(value));
        }
        report.difference = Some(difference(self.map, &self.window, actual));
        Ok(Look::Differs)
    }
}

/// What was given, or why it cannot be read.
///
/// # Errors
/// It cannot be.
pub fn read<'a, T>(option: &str, given: &'a Read<T>) -> Result<&'a T, Failure> {
    given.as_ref().map_err(|why| Failure::usage(format!("{option}: {why}")))
}

/// Does it, and notes in the report how far it came.
fn fill(
    args: &Entry,
    new_value: Option<&Read<Given>>,
    report: &mut Report,
    deal_with: impl FnOnce(&Found<'_>, &mut Report) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let (Some(given_key), Some(given_value)) = (&args.key, &args.expect) else {
        return Err(Failure::usage("--key and --expect must be given"));
    };
    let (given_key, given_value) = (read("--key", given_key)?, read("--expect", given_value)?);
    let new_value = new_value.map(|given| read("--value", given)).transpose()?;
    let given = [("--key", Some(given_key)), ("--expect", Some(given_value)), ("--value", new_value)];
    let mut read = given.iter().filter(|(_, given)| *given == Some(&Given::Stdin)).map(|(name, _)| name);
    if let (Some(first), Some(second)) = (read.next(), read.next()) {
        return Err(Failure::usage(format!("{first} and {second} cannot both be read from standard input")));
    }
    let fd = open(&args.map)?;
    let map = Map::new(fd.as_fd()).map_err(|e| Failure::from_uapi("asking for the map", &e, FD_MEND))?;
    let info = map.info();
    report.map =
        Some(MapReport { id: info.id, name: info.name.clone(), map_type: map_type_name(info.map_type) });

    if ![BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH].contains(&info.map_type) {
        has_operation(&map, new_value.is_some())?;
    }
    let key = key(given_key, info.key_size, || layout(info, Of::Key))?;
    let key_assumed = assumed_zero(&key.assumed).map(|what| format!("of the key, {what}"));
    report.key = Some(key.bytes.clone());
    for (option, given) in given.iter().skip(1).filter_map(|(option, given)| Some((option, (*given)?))) {
        is_of(given, &key.bytes, || layout(info, Of::Key), || layout(info, Of::Value))
            .map_err(|why| Failure::usage(format!("{option}: {why}")))?;
    }
    let window = window(given_value, args.choice(), info.value_size, || layout(info, Of::Value))?;
    report.window = Some(WindowReport::new(&window, args.field.clone()));
    let value_assumed = assumed_zero(&window.assumed).map(|what| format!("of the value, {what}"));

    let outcome = deal_with(&Found { map: &map, key: key.bytes, window }, report)?;
    // Where it may be the reason.
    let (assumed, order) = match outcome {
        Outcome::Absent => {
            let layout = layout(info, Of::Key).ok();
            (key_assumed, order_of_key(given_key, layout.as_ref()))
        }
        Outcome::Kept => (value_assumed, None),
        _ => (None, None),
    };
    let notes: Vec<_> = report.note.take().into_iter().chain(assumed).chain(order).collect();
    report.note = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(outcome)
}

/// Of a map of a type that may have no such operation, whether it has: what is wrong with its key helps nobody then.
fn has_operation(map: &Map<'_>, update: bool) -> Result<(), Failure> {
    let (checked, failure): (_, fn(&Error) -> Failure) = if update {
        (map.check_update(0..1), |error| Failure::from_update(error, FD_MEND))
    } else {
        (map.check_delete(0..1), |error| Failure::from_uapi("compare-and-delete", error, FD_MEND))
    };
    match checked {
        Err(
            error @ (Error::UnsupportedMap { .. }
            | Error::UnsupportedUpdate { .. }
            | Error::UnsupportedKernel),
        ) => Err(failure(&error)),
        _ => Ok(()),
    }
}

/// Looks up what is there now. The kernel said that the window differed; it may have changed again since.
pub fn explain(map: &Map<'_>, key: &[u8], window: &Window, report: &mut Report) {
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

/// What this kernel has.
///
/// # Errors
/// Where it cannot be found out.
pub fn support() -> Result<Has, Failure> {
    let mend = "bpf(2) is refused to this process: run as root or with CAP_BPF";
    let has = |support: Result<Support, Error>| {
        let support = support.map_err(|error| Failure::from_uapi("asking the kernel", &error, mend))?;
        Ok(support == Support::Supported)
    };
    Ok(Has { delete: has(probe())?, update: has(probe_update(BPF_MAP_TYPE_HASH))? })
}
