// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask kselftest`: what the kernel's own selftests say of the series, beside what they say of the base.

mod foreign;

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use ground::{
    cache::write_whole,
    context::Ctx,
    outcome::{Done, Outcome},
};
use guest::{
    beside::Beside,
    channel::EVENTS,
    folder,
    machine::Limits,
    test_run::Tests,
    verdict::{self, Judged},
};
use kernel::{
    kselftest::{
        compare::{self, Difference, Results, Row},
        parse,
        plan::{self, Step},
    },
    series::{NONE, Series},
};
use results::{Status, TestResult};
use serde::Serialize;

use crate::{
    built::Built,
    cli, record,
    run_report::{BASE_PREFIX, Place, Report, Test},
    say::say,
    steps::{self, Bench, Guest},
    workshop::Workshop,
};

/// `kselftest.json`.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(flatten)]
    environment: &'a Report,
    rows: &'a [Row],
}

/// Runs it, writes the record whatever happens, and prints the difference.
///
/// # Errors
/// Only when not even the record can be written.
pub fn run(ctx: &Ctx, opts: &cli::Kselftest) -> Result<Done> {
    let folder = opts.arch.map_or_else(|| "kselftest".to_owned(), |arch| foreign::name(arch.target()));
    let room = record::open(ctx, &folder, "kselftest.json")?;
    room.keep_events(ctx)?;
    let mut report = Report::new(ctx, opts.machine.vcpus(), &opts.kernel.profile);
    let mut rows = Vec::new();
    let (tested, fine) = match opts.arch {
        Some(arch) => (
            foreign::run(ctx, opts, arch.target(), &mut report, &mut rows),
            "the tests of the series pass on its kernel for this architecture",
        ),
        None => (
            test(ctx, opts, &mut report, &mut rows),
            "nothing that passed on the base fails with the series, and the tests of the series pass",
        ),
    };
    match tested {
        Ok(faults) => {
            report.verdict = Outcome::from_ok(faults.is_empty());
            report.reason = if faults.is_empty() { fine.into() } else { faults.join("; ") };
        }
        Err(e) => report.reason = format!("{e:#}"),
    }
    report.phases = ctx.phases.borrow().clone();
    write_whole(&room.path, &results::rows::lines(&Record { environment: &report, rows: &rows })?)?;
    if !opts.json && !rows.is_empty() {
        let said = match opts.arch {
            Some(arch) => alone(&rows, arch.target().name),
            None => table(&rows, &opts.series),
        };
        say!("{said}")?;
    }
    record::end(ctx, &room.path, &report, report.count(), opts.json)
}

/// Fills the report and the rows; gives why the series is to blame, sentence by sentence.
fn test(ctx: &Ctx, opts: &cli::Kselftest, report: &mut Report, rows: &mut Vec<Row>) -> Result<Vec<String>> {
    ensure!(opts.series != NONE, "the base is what a series is compared with: name a series");
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::for_selftests(ctx, &opts.kernel)?;
    let ours = plan::ours(series.patches_for(&shop.base.line)?);
    let mut steps = plan::steps(&ours, opts.quick);
    if let Some(filter) = &opts.filter {
        steps.retain(|step| step.name.contains(filter.as_str()));
        ensure!(!steps.is_empty(), "no selftest to run: is --filter right?");
    }
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    report.kernel = Some(shop.report_of(&built));
    let folder = shop.selftests(&built)?;
    let base = shop.build(&Series::read(&ctx.root, NONE)?)?;
    report.base_kernel = Some(shop.report_of(&base));
    let bench = Bench::bare(ctx, vng, &opts.machine, &built)?;
    report.accel = Some(bench.machine.accel);
    let limits =
        Limits { boot: Duration::from_secs(120), silence: Duration::from_secs(plan::longest(&steps)) }
            .times(shop.profile.patience);
    let guests = Guests { bench: &bench, folder: &folder, steps: &steps, limits };
    let (with, splats) = guests.run(&built, Place::Series, report)?;
    let (without, _) = guests.run(&base, Place::Base, report)?;
    // With a filter, the tests of the series that were not asked for are not missed.
    let asked: Vec<String> =
        ours.into_iter().filter(|name| steps.iter().any(|step| step.test.as_ref() == Some(name))).collect();
    let (compared, mut faults) = compare::compare(&without, &with, &asked);
    for row in &compared {
        // A test that fails on both kernels is no fault of the series: it counts as skipped, with the reason.
        let status = match (row.difference.is_fault(), row.series) {
            (true, _) => Status::Fail,
            (false, Some(Status::Pass)) => Status::Pass,
            (false, _) => Status::Skip,
        };
        let result = TestResult { name: row.test.clone(), status, ms: 0, detail: row.detail.clone() };
        report.tests.push(Test { kernel: Place::Series, result });
    }
    *rows = compared;
    faults.extend(splats);
    Ok(faults)
}

/// What is run on both kernels.
struct Guests<'a> {
    bench: &'a Bench<'a>,
    /// The built selftests.
    folder: &'a Path,
    steps: &'a [Step],
    limits: Limits,
}

impl Guests<'_> {
    /// The results of one kernel, and what it reported. What the tests printed stays in the guest's folder.
    fn run(&self, built: &Built, place: Place, report: &mut Report) -> Result<(Results, Vec<String>)> {
        let Self { bench, folder, steps, limits } = *self;
        let name = format!("kselftest-{}", built.series);
        let run = folder::fresh_run_folder(&bench.ctx().out, &name)?;
        report.consoles.push(bench.console(&name));
        let command = plan::script(steps, folder, &run, EVENTS);
        fs::write(run.join("kselftest.sh"), command).context("cannot write the guest's script")?;
        let mut tests = Tests::new(place.kernel(), place.prefix());
        let guest =
            Guest { name: &name, run: &run, command: "sh ./kselftest.sh", limits, beside: Beside::default() };
        let (ended, console) = bench.boot(built, guest, &mut tests)?;
        let seen = tests.ended(ended);
        let Judged { mut tests, splats, .. } =
            verdict::judge(&seen, &console, limits.boot.as_secs(), limits.silence.as_secs())?;
        for test in &mut tests {
            if let Some(name) = test.name.strip_prefix(BASE_PREFIX) {
                test.name = name.to_owned();
            }
        }
        // Without a whole base there is nothing to compare with.
        ensure!(
            place == Place::Series || tests.iter().all(|test| test.status != Status::Error),
            "the base kernel did not come to the end of its selftests: see {}",
            bench.console(&name).display()
        );
        let splats: Vec<String> =
            splats.into_iter().map(|splat| format!("{}: {splat}", built.series)).collect();
        report.splats.extend(splats.iter().cloned());
        let mut results = Results::new();
        for step in steps {
            let said = fs::read(run.join(step.said())).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            if let Some(ended) = tests.iter().find(|test| test.name == step.name) {
                results.extend(parse::rows(step, ended, &said));
            }
        }
        Ok((results, splats))
    }
}

/// What came of the rows of one program or test, in numbers.
fn counts(rows: &[Row], test: &str, of: fn(&Row) -> Option<Status>) -> String {
    let inside = rows.iter().filter(|row| top(&row.test) == test);
    let number = |wanted: &[Status]| {
        inside.clone().filter(|row| of(row).is_some_and(|status| wanted.contains(&status))).count()
    };
    let words = [
        (number(&[Status::Pass]), "passed"),
        (number(&[Status::Fail, Status::Error]), "FAILED"),
        (number(&[Status::Skip]), "skipped"),
    ];
    let said: Vec<String> =
        words.into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if said.is_empty() { "-".to_owned() } else { said.join(", ") }
}

/// Programs and tests, each once.
fn tops(rows: &[Row]) -> Vec<&str> {
    let mut tests: Vec<&str> = rows.iter().map(|row| top(&row.test)).collect();
    tests.dedup();
    tests
}

/// One line for each test, and below one for each row that did not pass: there is nothing to compare with.
fn alone(rows: &[Row], arch: &str) -> String {
    let mut whole = Table::new();
    whole.load_style(UTF8_FULL_CONDENSED).set_header(["selftest", arch]);
    for test in tops(rows) {
        whole.add_row([test.to_owned(), counts(rows, test, |row| row.series)]);
    }
    let others = rows.iter().filter(|row| row.series != Some(Status::Pass));
    let others = others.map(|row| {
        let said = format!("{} {}", word(row.series), row.detail);
        format!("\n{}: {}", row.test, said.trim_end())
    });
    format!("{whole}{}", others.collect::<String>())
}

/// One line for each program and test, and below one for each row that is not the same on both kernels.
fn table(rows: &[Row], series: &str) -> String {
    let mut whole = Table::new();
    whole.load_style(UTF8_FULL_CONDENSED).set_header(["selftest", "base", series]);
    for test in tops(rows) {
        let of = |of| counts(rows, test, of);
        whole.add_row([test.to_owned(), of(|row| row.base), of(|row| row.series)]);
    }
    let mut differ = Table::new();
    differ.load_style(UTF8_FULL_CONDENSED).set_header(["differs", "base", series, ""]);
    for row in rows.iter().filter(|row| row.base != row.series || row.difference.is_fault()) {
        differ.add_row([row.test.as_str(), word(row.base), word(row.series), row.difference.words()]);
    }
    let differ = if differ.is_empty() { String::new() } else { format!("{differ}\n") };
    let same = rows.iter().filter(|row| row.difference == Difference::None && row.base == row.series).count();
    format!("{whole}\n{differ}{same} of {} results are the same on both kernels", rows.len())
}

/// The program and test that a row belongs to.
fn top(row: &str) -> &str {
    match row.split_once(':') {
        Some(("test_progs", rest)) => &row[..row.len() - rest.len() + rest.find('/').unwrap_or(rest.len())],
        Some((program, _)) => program,
        None => row,
    }
}

fn word(status: Option<Status>) -> &'static str {
    match status {
        None => "-",
        Some(Status::Pass) => "passed",
        Some(Status::Fail) => "FAILED",
        Some(Status::Skip) => "skipped",
        Some(Status::Error) => "did not run",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_belong_to_their_program_and_test() {
        assert_eq!(top("test_progs:htab_update/x/y"), "test_progs:htab_update");
        assert_eq!(top("test_progs:htab_update"), "test_progs:htab_update");
        assert_eq!(top("test_lru_map:test_lru_sanity0/map_type:9"), "test_lru_map");
        assert_eq!(top("test_maps"), "test_maps");
    }
}
