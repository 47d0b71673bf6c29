// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask races`: the matrix of refresh × gc, with the evidence behind each cell.

use std::{path::Path, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{
    boot::Limits,
    cache::write_whole,
    cli,
    context::Ctx,
    events::Event,
    guest,
    races::{self, Asked, Look, Matrix, Races, Row},
    record,
    report::{Done, Place, Report, Test},
    series::{NONE, Series},
    steps::{self, Bench, Workshop, vcpus},
    verdict::{Judged, is_broken},
};

/// `matrix.json`.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(flatten)]
    environment: &'a Report,
    cells: &'a [Row],
    verdicts: Vec<String>,
}

/// Writes the matrix, with where it comes from.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, report: &Report, matrix: &Matrix) -> Result<()> {
    let record = Record { environment: report, cells: &matrix.rows, verdicts: races::sentences(matrix) };
    write_whole(path, &serde_json::to_vec_pretty(&record)?)
}

/// Runs it, writes the matrix whatever happens, and prints it.
///
/// # Errors
/// Only when not even the matrix can be written.
pub fn run(ctx: &Ctx, opts: &cli::Races) -> Result<Done> {
    let room = record::open(ctx, "races", "matrix.json")?;
    room.keep_events(ctx)?;
    let mut report = Report::new(ctx, vcpus(&opts.machine), &opts.kernel.profile);
    let mut matrix = Matrix::default();
    match race(ctx, opts, &mut report, &mut matrix) {
        Ok(Judged { outcome, tests, splats, reason }) => {
            let agreed = if opts.model_only { "every cell was explored" } else { "the evidence agrees" };
            report.verdict = outcome;
            report.reason = if reason.is_empty() { agreed.into() } else { reason };
            report.splats = splats;
            let place = if opts.model_only { Place::Host } else { place(opts) };
            report.tests = tests.into_iter().map(|result| Test { kernel: place, result }).collect();
        }
        Err(e) => report.reason = format!("{e:#}"),
    }
    report.phases = ctx.phases.borrow().clone();
    write(&room.path, &report, &matrix)?;
    for test in report.tests.iter().filter(|test| is_broken(test.result.status)) {
        ctx.events.emit(&Event::TestFinished(test.result.clone()));
    }
    if !opts.json {
        show(&matrix);
    }
    record::end(ctx, &room.path, &report, report.count(), opts.json)
}

fn place(opts: &cli::Races) -> Place {
    if opts.series == NONE { Place::Base } else { Place::Series }
}

/// Fills the report and the matrix.
fn race(ctx: &Ctx, opts: &cli::Races, report: &mut Report, matrix: &mut Matrix) -> Result<Judged> {
    // A wrong name is told before anything is fetched.
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::open(ctx, &opts.kernel)?;
    let limits = shop.profile.limits(Limits {
        boot: Duration::from_secs(opts.boot_timeout),
        silence: Duration::from_secs(opts.test_timeout),
    });
    let asked = Asked { filter: opts.filter.clone(), quick: opts.quick };
    let races = Races { ctx, asked, limits };
    if opts.model_only {
        // No kernel is booted, so none is built: the lab wants headers alone.
        let include = shop.headers(&series)?;
        let programs = ctx.phase("lab", || guest::build(ctx, &include, &["lab"]))?;
        races.model(&programs, matrix)?;
        return races.model_alone(matrix);
    }
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    report.kernel = Some(shop.report_of(&built));
    let bench = Bench::open(&shop, vng, &opts.machine, &built)?;
    report.accel = Some(bench.machine.accel);
    races.run(&shop, &bench, &built, report, matrix)
}

/// The tables, their legend, and a sentence for each discipline.
fn show(matrix: &Matrix) {
    if matrix.rows.is_empty() {
        return;
    }
    println!("{}\n{}\n", races::tables(matrix, Look::of_stdout()), races::legend());
    for sentence in races::sentences(matrix) {
        println!("{sentence}");
    }
    println!();
}
