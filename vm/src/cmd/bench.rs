// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask bench`: what each approach costs, on the base and on each series.

use anyhow::{Context, Result};
use evidence::bench;
use ground::{
    cache::write_whole,
    context::Ctx,
    events::Event,
    outcome::{Count, Done, Outcome},
};
use guest::verdict::is_broken;
use kernel::series::{DEFAULT, NONE, Series};
use results::Accel;
use results::{
    Status, TestResult,
    bench::{Record, Row},
};
use serde::Serialize;

use crate::{
    built::Built,
    cli, record,
    run_report::{Place, Report, Test},
    runs::bench::{Benches, Part, Ran, no_contention},
    say::say,
    steps::{self, Bench},
    workshop::Workshop,
};

/// What the kernels of an ordinary run carry, in this order: the one with the whole bench first, since the programs are
/// built with its headers.
const KERNELS: [&str; 2] = [DEFAULT, NONE];

/// `bench.json`.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    environment: &'a Report,
    #[serde(flatten)]
    record: &'a Record,
}

/// Runs it, writes the record whatever happens, and prints it.
///
/// # Errors
/// Only when not even the record can be written.
pub fn run(ctx: &Ctx, opts: &cli::Bench) -> Result<Done> {
    let room = record::open(ctx, "bench", "bench.json")?;
    room.keep_events(ctx)?;
    let mut report = Report::new(ctx, 1, &opts.kernel.profile);
    let mut record = Record::default();
    match measure(ctx, opts, &mut report, &mut record) {
        Ok(reason) => {
            report.verdict = Outcome::from_ok(reason.is_empty());
            report.reason =
                if reason.is_empty() { "every operation did what it says".into() } else { reason };
        }
        Err(e) => report.reason = format!("{e:#}"),
    }
    let (ratios, refused) = bench::ratios(&record.rows);
    record.ratios = ratios;
    record.skipped.extend(refused);
    report.phases = ctx.phases.borrow().clone();
    write_whole(&room.path, &results::rows::lines(&Written { environment: &report, record: &record })?)?;
    for test in report.tests.iter().filter(|test| is_broken(test.result.status)) {
        ctx.events.emit(&Event::TestFinished(test.result.clone()));
    }
    if !opts.json && !record.rows.is_empty() {
        say!("{}\n", bench::tables(&record))?;
    }
    record::end(ctx, &room.path, &report, count(&report, &record), opts.json)
}

/// A figure is one of an operation that was seen to do what it says: a passed test.
fn count(report: &Report, record: &Record) -> Count {
    let mut count = report.count();
    count += Count { passed: record.rows.len(), failed: 0, skipped: record.skipped.len() };
    count
}

/// Measures on one kernel after the other; gives why that failed, or nothing.
fn measure(ctx: &Ctx, opts: &cli::Bench, report: &mut Report, record: &mut Record) -> Result<String> {
    // A wrong name is told before anything is fetched.
    let asked: Vec<&str> = match &opts.series[..] {
        [] => KERNELS.to_vec(),
        names => names.iter().map(String::as_str).collect(),
    };
    let series: Vec<Series> =
        asked.iter().map(|name| Series::read(&ctx.root, name)).collect::<Result<_>>()?;
    let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built: Vec<Built> = series.iter().map(|series| shop.build(series)).collect::<Result<_>>()?;
    let first = built.first().context("there is no kernel to measure on")?;
    let mut machine = Bench::open(ctx, &shop.program_headers(first)?, vng, &opts.machine, first)?;
    if machine.machine.accel == Accel::Tcg {
        // Instructions can be counted with one alone.
        machine.machine.cpus = 1;
    }
    report.accel = Some(machine.machine.accel);
    report.vcpus = machine.machine.cpus;
    let limits = opts.limits.limits().times(shop.profile.patience);
    let benches = Benches { bench: &machine, filter: opts.filter.clone(), quick: opts.quick, limits };
    let mut reasons = Vec::new();
    // The base is measured by what others are compared with, any further series by what it alone has.
    let whole = first.series.clone();
    for built in &built {
        let kernel = shop.report_of(built);
        match built.series.as_str() {
            NONE => report.base_kernel = Some(kernel),
            name if name == whole => report.kernel = Some(kernel),
            _ => report.other_kernels.push(kernel),
        }
        report.consoles.push(machine.console(&Benches::console_name(built)));
        let part = match built.series.as_str() {
            name if name == whole => Part::Whole,
            NONE => Part::Operations,
            _ => Part::Own,
        };
        let ran = benches.run(built, part, opts.functions)?;
        if part == Part::Whole {
            if machine.machine.accel == Accel::Tcg {
                record.skipped.push(no_contention(&built.series));
            }
            record.image_sha256.clone_from(&ran.record.image_sha256);
        }
        let rows = ran.record.rows.clone();
        add(report, record, ran, built, &mut reasons);
        if opts.twice {
            let again = benches.run(built, part, false)?;
            let result = repeated(built, &rows, &again.record.rows, record);
            if is_broken(result.status) {
                reasons.push(format!("{}: {}", result.name, result.detail));
            }
            report.tests.push(Test { kernel: Place::Host, result });
        }
    }
    Ok(reasons.join("; "))
}

/// Adds what one guest gave.
fn add(report: &mut Report, record: &mut Record, ran: Ran, built: &Built, reasons: &mut Vec<String>) {
    let place = if built.series == NONE { Place::Base } else { Place::Series };
    report.tests.extend(ran.tests.into_iter().map(|result| Test { kernel: place, result }));
    report.splats.extend(ran.splats.into_iter().map(|splat| format!("{}: {splat}", built.series)));
    if !ran.reason.is_empty() {
        reasons.push(format!("{}: {}", built.series, ran.reason));
    }
    record.rows.extend(ran.record.rows);
    record.skipped.extend(ran.record.skipped);
    record.profiles.extend(ran.record.profiles);
    record.seconds += ran.record.seconds;
}

/// Whether two runs of one image gave the same.
fn repeated(built: &Built, one: &[Row], other: &[Row], record: &mut Record) -> TestResult {
    let name = format!("bench::{}: two runs of one image agree", built.series);
    let counted = one.iter().all(|row| row.origin.accel == "tcg");
    let (status, detail) = match bench::repeat_difference(one, other) {
        None => (Status::Error, "no figure is in both runs".to_owned()),
        Some((part, what)) => {
            record.repeat_difference = Some(record.repeat_difference.map_or(part, |known| known.max(part)));
            let detail = format!("at most {:.3} % apart, in {what}", part * 100.0);
            match (counted, part <= bench::PRECISION) {
                (true, false) => (Status::Fail, detail),
                (true, true) => (Status::Pass, detail),
                (false, _) => (Status::Skip, format!("a real clock promises no such thing: {detail}")),
            }
        }
    };
    TestResult { name, status, ms: 0, detail }
}
