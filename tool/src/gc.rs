// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel gc`: has the crate `keep` collect what expired, by compare-and-delete with one field as window, or under stripes.

mod field;
mod report;

use std::os::fd::AsFd;

use cmpdel_uapi::{Map, map_type_name};
use keep::{Collector, Means, Plan, Round};

use crate::args::Gc;
use crate::open::{Of, layout, open, open_pinned};
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
    field.check(threshold)?;
    report.threshold = Some(threshold);
    report.field = Some(field.clone());

    // Before anything is looked at: whether this kernel, this map and this fd would do it at all.
    let stripes = args.stripes.as_deref().map(|path| open_pinned("table of stripes", path)).transpose()?;
    let mut plan = Plan::new(fd.as_fd(), field.place()).batch(args.batch).readers(&args.reader);
    if let Some(stripes) = &stripes {
        plan = plan.stripes(stripes.as_fd());
    }
    let mut collector = plan.open().map_err(|error| failure(&error))?;
    report.batches = collector.is_batched();
    report.means = Some(match collector.means() {
        Means::Compare => "compare",
        Means::Stripes => "stripes",
    });
    let round = run(&mut collector, threshold, args.dry_run);
    let (round, ended) = match round {
        Ok(round) => (round, None),
        Err(error) => (error.round(), Some(failure(&error))),
    };
    report.round = round;
    match ended {
        Some(failure) => Err(failure),
        None if round.busy > 0 => Err(Failure::other(
            "stripes were held for longer than the collector waits: what is left expires with the next run, or a holder is stuck",
        )),
        None => Ok(()),
    }
}

fn run(collector: &mut Collector<'_>, threshold: i128, dry: bool) -> Result<Round, keep::Error> {
    if dry { collector.look_counted(threshold) } else { collector.round_counted(threshold) }
}

fn failure(error: &keep::Error) -> Failure {
    match error {
        keep::Error::Map(error) | keep::Error::Ended { error, .. } => {
            Failure::from_uapi("collecting", error, FD_MEND)
        }
        keep::Error::Partly { error, .. } => failure(error),
        keep::Error::MapType(_) => {
            Failure { outcome: Outcome::Unsupported, message: format!("{error}; nothing was deleted") }
        }
        keep::Error::Field { .. }
        | keep::Error::KeySize(_)
        | keep::Error::NotStripes(_)
        | keep::Error::Unstriped { .. } => Failure::usage(format!("{error}; nothing was deleted")),
        _ => Failure::other(error.to_string()),
    }
}
