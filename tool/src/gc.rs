// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel gc`: has the crate `keep` collect what expired, by compare-and-delete with one field as window, or under stripes.

mod clock;
mod condition;
mod field;
mod report;
mod survey;
mod told;

use std::io::{self, IsTerminal as _};
use std::ops::Range;
use std::os::fd::AsFd;

use cmpdel_uapi::{Error, MAX_WINDOW, Map, MapInfo, map_type_name};
use indicatif::{ProgressBar, ProgressStyle};
use keep::{Collector, Means, Plan, Round};

use crate::args::Gc;
use crate::layout::Of;
use crate::open::{layout, open, open_pinned};
use crate::outcome::{Failure, Outcome};
use crate::output::MapReport;
use crate::run::{FD_MEND, read};
use field::IntField;
use survey::Survey;
use told::Told;

pub use clock::{Age, Clock, Threshold, Unit};
pub use condition::{Condition, Where};
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
    args.conditions.iter().try_for_each(|given| read("--where", given).map(|_| ()))?;
    let fd = open(&args.map)?;
    let map = Map::new(fd.as_fd()).map_err(|e| Failure::from_uapi("asking for the map", &e, FD_MEND))?;
    let info = map.info();
    report.map =
        Some(MapReport { id: info.id, name: info.name.clone(), map_type: map_type_name(info.map_type) });

    let field = field(args, info)?;
    let threshold =
        Threshold::new(args.older_than, args.now, args.clock, args.unit).map_err(Failure::usage)?;
    if !args.force {
        field.check(threshold.below)?;
    }
    report.threshold = Some(threshold.below);
    report.field = Some(field.clone());
    report.notes = notes(&field, &threshold);
    let conditions = conditions(args, info)?;
    let window = window_of(&conditions, &field)?;
    let (place, never) = (field.place(), args.zero_is_never);
    let told = Told::default();
    let meets = |key: &[u8], value: &[u8]| {
        conditions.iter().all(|condition| condition.holds(key, value))
            && !(never && place.read(value) == Some(0))
    };

    let is_narrowed = never || !conditions.is_empty();
    if is_narrowed && args.stripes.is_some() {
        return Err(Failure::usage(
            "--where and --zero-is-never are asked before a stripe is held, so they do not go with --stripes: a condition \
             under stripes is written in C (keep/include/keep/collector.h)",
        ));
    }
    let stripes = args.stripes.as_deref().map(|path| open_pinned("table of stripes", path)).transpose()?;
    let bar = bar(u64::from(info.max_entries));
    let tell = |looked_at: u64| bar.set_position(looked_at);
    // Of what follows on a batch that could not be told, nothing is deleted.
    let goes_on = || !told.is_lost();
    let mut plan = Plan::new(fd.as_fd(), place)
        .batch(args.batch)
        .readers(&args.reader)
        .progress(&tell)
        .goes_on(&goes_on);
    if is_narrowed {
        plan = plan.and(window, &meets);
    }
    if let Some(stripes) = &stripes {
        plan = plan.stripes(stripes.as_fd());
    }
    // What the threshold would do is looked at on every kernel, also on one that would refuse to delete.
    let survey = if args.force {
        None
    } else {
        match Survey::new(&map, place, &threshold, (args.batch, never), &meets, &tell) {
            Ok(survey) => Some(survey),
            // User space cannot walk such a map, or nothing of this works on it.
            Err(Error::UnsupportedMap { .. }) => None,
            Err(error) => return Err(Failure::from_uapi("looking at the entries", &error, FD_MEND)),
        }
    };
    if let Some(doubt) = survey.and_then(|survey| survey.doubt(&threshold, stripes.is_some())) {
        return Err(Failure::usage(doubt));
    }
    let mut collector = plan.open().map_err(|error| failure(&error))?;
    report.batches = collector.is_batched();
    report.means = Some(match collector.means() {
        Means::Compare => "compare",
        Means::Stripes => "stripes",
    });
    if survey.is_none() && !args.force {
        doubt_in_kernel(&mut collector, &threshold)?;
    }
    let round = run(&mut collector, threshold.below, args, &bar, &told);
    bar.finish_and_clear();
    let (round, ended) = match round {
        Ok(round) => (round, None),
        Err(error) => (error.round(), Some(failure(&error))),
    };
    report.round = round;
    told.all()?;
    match ended {
        Some(failure) => Err(failure),
        None if round.busy > 0 => Err(Failure::other(
            "stripes were held for longer than the collector waits: what is left expires with the next run, or a holder is stuck",
        )),
        None => Ok(()),
    }
}

/// The field, by its name or by its bytes.
fn field(args: &Gc, info: &MapInfo) -> Result<IntField, Failure> {
    match (&args.field, args.offset.zip(args.int_type)) {
        (Some(name), _) => IntField::by_name(name, &layout(info, Of::Value)?),
        (None, Some((offset, int_type))) => {
            let field = IntField::at(offset, int_type, info.value_size)?;
            // Where it may be read: bytes need no BTF.
            let doubt = layout(info, Of::Value).ok().and_then(|layout| field.doubt(&layout));
            match doubt {
                Some(doubt) if !args.force => Err(Failure::usage(format!(
                    "--offset {offset}: {doubt}; nothing was deleted. If it is right all the same, say --force"
                ))),
                _ => Ok(field),
            }
        }
        (None, None) => Err(Failure::usage("say which field: --field, or --offset and --type")),
    }
}

/// What to know, whatever comes of it.
fn notes(field: &IntField, threshold: &Threshold) -> Vec<String> {
    let mut notes = Vec::new();
    if field.is_torn() {
        notes.push(format!(
            "the field is not aligned ({} bytes at {}), so a store to it that is half done can be read",
            field.size, field.offset
        ));
    }
    let is_before_boot = threshold.below < 0 || threshold.boot().is_some_and(|boot| threshold.below < boot);
    if threshold.now.is_some() && is_before_boot && threshold.age > 0 {
        notes.push("this machine has not run for so long yet: nothing can be that old".into());
    }
    notes
}

fn conditions(args: &Gc, info: &MapInfo) -> Result<Vec<Condition>, Failure> {
    let all = args.conditions.iter().map(|given| {
        let given = read("--where", given)?;
        Condition::new(given, &layout(info, given.of)?)
    });
    all.collect()
}

/// The bytes of the value that the field and all conditions depend on.
fn window_of(conditions: &[Condition], field: &IntField) -> Result<Range<u32>, Failure> {
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let windows = conditions.iter().filter_map(Condition::window);
    let window = windows.fold(field.offset..field.offset + field.size, |all, window| {
        all.start.min(narrow(window.start))..all.end.max(narrow(window.end))
    });
    let (Range { start, end }, size) = (window.clone(), window.len());
    if size <= MAX_WINDOW as usize {
        return Ok(window);
    }
    Err(Failure::usage(format!(
        "--where: the field and what is asked of the value lie in bytes {start} to {} of it, and are compared as one run of {size}: \
         the kernel compares {MAX_WINDOW} at most. Ask of fields nearer by, or of the key",
        end - 1
    )))
}

/// Maps that user space cannot walk are counted in the kernel, where nothing is known of clocks.
fn doubt_in_kernel(collector: &mut Collector<'_>, threshold: &Threshold) -> Result<(), Failure> {
    let Round { looked_at, expired, .. } =
        collector.look_counted(threshold.below).map_err(|error| failure(&error))?;
    let all = Survey { all: looked_at, all_expired: expired, ..Survey::default() };
    let survey = Survey { entries: looked_at, expired, ..all };
    survey.doubt(threshold, true).map_or(Ok(()), |doubt| Err(Failure::usage(doubt)))
}

/// Of large maps, for people.
fn bar(entries: u64) -> ProgressBar {
    const LARGE: u64 = 100_000;
    if entries < LARGE || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of at most {human_len} entries");
    ProgressBar::new(entries).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn run(
    collector: &mut Collector<'_>,
    threshold: i128,
    args: &Gc,
    bar: &ProgressBar,
    told: &Told,
) -> Result<Round, keep::Error> {
    if !args.keys {
        return if args.dry_run {
            collector.look_counted(threshold)
        } else {
            collector.round_counted(threshold)
        };
    }
    let tell = |key: &[u8], outcome: keep::Outcome| {
        bar.suspend(|| told.tell(&report::key_line(key, outcome)));
    };
    if args.dry_run { collector.look(threshold, tell) } else { collector.round(threshold, tell) }
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
