// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel gc`: batch look-ups, a filter on one field, and compare-and-delete of what expired, with exactly that field as
//! window. An entry that is refreshed between the look and the delete differs there, and lives on.

mod field;
mod report;

use std::os::fd::AsFd;

use cmpdel_uapi::{Error, Map, Outcome as Entry, Snapshot, Support, map_type_name, probe_batch};

use crate::args::Gc;
use crate::open::{Of, layout, open};
use crate::outcome::{Failure, Outcome};
use crate::output::MapReport;
use crate::run::FD_MEND;
use field::IntField;

pub use field::IntType;
pub use report::GcReport;

/// Carries out what `args` say. Whatever goes wrong is in the report, and so is how far it came.
#[must_use]
pub fn gc(args: &Gc) -> GcReport {
    let mut report = GcReport::new(args.dry_run);
    match collect(args, &mut report) {
        Ok(()) if args.dry_run => report.outcome = Outcome::WouldBeCollected,
        Ok(()) => report.outcome = Outcome::Collected,
        Err(Failure { outcome, message }) => {
            report.outcome = outcome;
            report.error = Some(message);
        }
    }
    report
}

fn collect(args: &Gc, report: &mut GcReport) -> Result<(), Failure> {
    let fd = open(&args.map)?;
    let map = Map::new(fd.as_fd()).map_err(|e| Failure::from_uapi("asking for the map", &e, FD_MEND))?;
    let info = map.info();
    report.map =
        Some(MapReport { id: info.id, name: info.name.clone(), map_type: map_type_name(info.map_type) });

    let field = match (&args.field, args.offset.zip(args.int_type)) {
        (Some(name), _) => IntField::by_name(name, &layout(info, Of::Value)?)?,
        (None, Some((offset, int_type))) => IntField::at(offset, int_type, info.value_size)?,
        (None, None) => return Err(Failure::usage("say which field: --field, or --offset and --type")),
    };
    let threshold = args.now.map_or(args.older_than, |now| now.saturating_sub(args.older_than));
    report.threshold = Some(threshold);
    report.field = Some(field.clone());

    // Before anything is looked at: whether this kernel, this map and this fd would do it at all.
    map.check().map_err(|e| Failure::from_uapi("compare-and-delete", &e, FD_MEND))?;
    report.batches = match probe_batch(info.map_type) {
        Ok(support) => support == Support::Supported,
        // It could not be tried out: one by one is what there is to trust.
        Err(Error::Permission) => false,
        Err(error) => return Err(Failure::from_uapi("asking the kernel for batches", &error, FD_MEND)),
    };

    let failure = |error: &Error| Failure::from_uapi("looking entries up", error, FD_MEND);
    let mut walk = map.walk(args.batch).map_err(|e| failure(&e))?;
    let mut snapshot = Snapshot::default();
    while walk.next_into(&mut snapshot).map_err(|e| failure(&e))? {
        report.looked_at += snapshot.len();
        snapshot.retain(|_, value| field.read(value).is_some_and(|time| time < threshold));
        report.expired += snapshot.len();
        if !args.dry_run {
            delete(&map, &snapshot, &field, report)?;
        }
    }
    Ok(())
}

/// How often in a row the lock of a bucket may be out of reach.
const PATIENCE: u32 = 5;

/// Deletes the entries of a snapshot, each if its field is still the one in it.
fn delete(
    map: &Map<'_>,
    snapshot: &Snapshot,
    field: &IntField,
    report: &mut GcReport,
) -> Result<(), Failure> {
    let (key_size, value_size) = (map.info().key_size as usize, map.info().value_size as usize);
    let (mut dealt_with, mut fruitless) = (0, 0);
    while dealt_with < snapshot.len() {
        let keys = snapshot.keys().get(dealt_with * key_size..).unwrap_or_default();
        let values = snapshot.values().get(dealt_with * value_size..).unwrap_or_default();
        let answer = if report.batches {
            map.delete_batch_if_eq(keys, values, field.window())
        } else {
            map.delete_each_if_eq(keys, values, field.window())
        };
        let (outcomes, ended) = match answer {
            Ok(batch) => (batch.outcomes, batch.ended),
            Err(error) => (Vec::new(), Some(error)),
        };
        for outcome in &outcomes {
            match outcome {
                Entry::Deleted => report.deleted += 1,
                Entry::Mismatch => report.kept += 1,
                Entry::Absent => report.absent += 1,
            }
        }
        dealt_with += outcomes.len();
        fruitless = if outcomes.is_empty() { fruitless + 1 } else { 0 };
        match ended {
            Some(error) if !is_contended(&error) || fruitless >= PATIENCE => {
                return Err(Failure::from_uapi("compare-and-delete", &error, FD_MEND));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The lock of a bucket (rqspinlock) could not be taken: the same call may be repeated.
fn is_contended(error: &Error) -> bool {
    const EDEADLK: i32 = 35;
    const ETIMEDOUT: i32 = 110;
    matches!(error, Error::Os { source, .. } if matches!(source.raw_os_error(), Some(EDEADLK | ETIMEDOUT)))
}
