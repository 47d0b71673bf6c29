// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask soak`: everything at once, for as long as is asked for. Nothing may be lost, and memory has to stay what it
//! was.

use anyhow::{Context, Result, bail};
use evidence::{
    races::{Machine, why_not},
    soak::{self, Heard, Judgement, Trend},
};
use ground::{
    cache::write_whole,
    context::Ctx,
    events::Event,
    outcome::{Done, Outcome},
};
use guest::{verdict::is_broken, waiting::Waited};
use kernel::series::{DEFAULT, NONE, Series};
use results::{Status, TestResult, soak::Worked};
use serde::Serialize;

use crate::{
    cli, mutant, programs,
    record::{self, Room},
    run_report::{Place, Report, Test},
    runs::soak::{Soak, Soaked, console_name},
    steps::{self, Bench},
    workshop::Workshop,
};

/// `here.json`, `SERIES.json`.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    environment: &'a Report,
    /// The machine whose kernel was asked as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<&'a Machine>,
    /// What it came to; none where it did not begin.
    soak: Option<Summary<'a>>,
}

/// What it came to, in numbers.
#[derive(Serialize)]
struct Summary<'a> {
    release: &'a str,
    cpus: usize,
    seconds: f64,
    samples: usize,
    /// Milliseconds, the longest in which no CPU ran what was due.
    stood_ms: u64,
    /// The same of one CPU.
    late_ms: u64,
    /// The most that the clock of the lab fell behind ours between two samples.
    behind_ms: u64,
    /// What kept QEMU waiting.
    waited: Option<Waited>,
    trends: &'a [Trend],
    worked: &'a [Worked],
}

/// Runs it, writes the record whatever happens, and prints it.
///
/// # Errors
/// Only when not even the record can be written.
pub fn run(ctx: &Ctx, opts: &cli::Soak) -> Result<Done> {
    let name = if opts.here { "here" } else { opts.mutant.as_deref().unwrap_or(&opts.series) };
    let room = record::open(ctx, "soak", &format!("{name}.json"))?;
    room.keep_events(ctx)?;
    let machine = opts.here.then(Machine::this);
    let mut report = match opts.here {
        true => Report::new(ctx, 0, ""),
        false => Report::new(ctx, opts.machine.vcpus(), &opts.kernel.profile),
    };
    let soaked = soak(ctx, opts, &room, name, &mut report);
    let judged = soaked.as_ref().map(|soaked| soak::judge(&soaked.heard, &soaked.besides));
    match &judged {
        Ok(judged) => told(opts, judged, &mut report),
        Err(e) => report.reason = format!("{e:#}"),
    }
    let summary = soaked.as_ref().ok().zip(judged.as_ref().ok());
    let summary = summary.map(|(soaked, judged)| summary_of(soaked, judged));
    report.phases = ctx.phases.borrow().clone();
    let written = Written { environment: &report, machine: machine.as_ref(), soak: summary };
    write_whole(&room.path, &results::rows::lines(&written)?)?;
    for test in report.tests.iter().filter(|test| is_broken(test.result.status)) {
        ctx.events.emit(&Event::TestFinished(test.result.clone()));
    }
    if let Ok(judged) = &judged
        && !opts.json
    {
        println!("{}\n", soak::table(&judged.tests));
    }
    record::end(ctx, &room.path, &report, report.count(), opts.json)
}

fn summary_of<'a>(soaked: &'a Soaked, judged: &'a Judgement) -> Summary<'a> {
    let Heard { release, cpus, samples, worked, .. } = &soaked.heard;
    Summary {
        release,
        cpus: *cpus,
        seconds: samples.last().map_or(0.0, |sample| sample.at_ms as f64 / 1000.0),
        samples: samples.len(),
        stood_ms: samples.iter().map(|sample| sample.stood_ms).max().unwrap_or(0),
        late_ms: samples.iter().map(|sample| sample.late_ms).max().unwrap_or(0),
        behind_ms: soaked.heard.behind_ms,
        waited: soaked.besides.waited,
        trends: &judged.trends,
        worked,
    }
}

/// Says in the report what it comes to: for a mutant, that it was noticed.
fn told(opts: &cli::Soak, judged: &Judgement, report: &mut Report) {
    let place = match opts.here {
        true => Place::Host,
        false if opts.series == NONE => Place::Base,
        false => Place::Series,
    };
    report.verdict = judged.outcome;
    report.reason.clone_from(&judged.reason);
    let tests = match &opts.mutant {
        None => judged.tests.clone(),
        Some(name) => {
            let noticed = noticed(name, judged);
            if judged.outcome != Outcome::CouldNotRun {
                report.verdict = Outcome::from_ok(noticed.status == Status::Pass);
                report.reason = format!("{name}: {}", noticed.detail);
            }
            vec![noticed]
        }
    };
    report.tests = tests.into_iter().map(|result| Test { kernel: place, result }).collect();
}

/// Whether memory was seen to grow where a mutant leaks it.
fn noticed(name: &str, judged: &Judgement) -> TestResult {
    let grows = judged.tests.iter().find(|test| {
        test.status == Status::Fail
            && test.name.starts_with("soak::memory::map")
            && test.detail.contains("it grows")
    });
    let (status, detail) = match grows {
        Some(test) => (Status::Pass, format!("noticed by {}: {}", test.name, test.detail)),
        None => (Status::Fail, "no map was seen to grow".into()),
    };
    TestResult { name: format!("soak::mutant::{name}"), status, ms: 0, detail }
}

fn soak(ctx: &Ctx, opts: &cli::Soak, room: &Room, name: &str, report: &mut Report) -> Result<Soaked> {
    let keep = room.folder.join(format!("{name}.jsonl"));
    let _ = std::fs::remove_file(&keep);
    let limits = opts.limits.limits();
    let mut asked = Soak { ctx, seconds: opts.seconds(), filter: opts.filter.clone(), limits, keep: &keep };
    if opts.here {
        if let Some(why) = why_not() {
            bail!("{why}");
        }
        let include = Workshop::open(ctx, &opts.kernel)?.headers(&Series::read(&ctx.root, DEFAULT)?)?;
        let programs = ctx.phase("lab", || programs::build(ctx, &include, &["lab", "cmpdel"]))?;
        return asked.here(&programs);
    }
    // A wrong name is told before anything is fetched.
    let series = Series::read(&ctx.root, &opts.series)?;
    let wrong = opts.mutant.as_ref().map(|name| {
        let found = mutant::read(ctx, std::slice::from_ref(name))?;
        let found = found.into_iter().find(|mutant| mutant.name == *name);
        let mutant = found.with_context(|| format!("there is no mutant {name}"))?;
        Ok::<_, anyhow::Error>(series.with(&mutant.name, &mutant.patch))
    });
    let series = wrong.transpose()?.unwrap_or(series);
    let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
    asked.limits = limits.times(shop.profile.patience);
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    report.kernel = Some(shop.report_of(&built));
    let bench = Bench::open(ctx, &shop.program_headers(&built)?, vng, &opts.machine, &built)?;
    report.accel = Some(bench.machine.accel);
    report.consoles.push(bench.console(&console_name(&built)));
    let carries = if opts.series == NONE { "" } else { &opts.series };
    asked.guest(&bench, &built, carries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_is_noticed_by_a_map_that_grows_and_by_nothing_else() {
        let test = |name: &str, status, detail: &str| TestResult {
            name: name.into(),
            status,
            ms: 0,
            detail: detail.into(),
        };
        let of =
            |tests| Judgement { outcome: Outcome::Failed, reason: String::new(), tests, trends: Vec::new() };
        let status = |tests| noticed("m", &of(tests)).status;
        assert_eq!(status(vec![test("soak::memory::map: a", Status::Fail, "it grows: 1")]), Status::Pass);
        assert_eq!(status(vec![test("soak::memory::map: a", Status::Pass, "0")]), Status::Fail);
        assert_eq!(status(vec![test("soak::work::a", Status::Fail, "lost: 1")]), Status::Fail);
    }
}
