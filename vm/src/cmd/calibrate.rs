// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask calibrate`: what needs no patch, on the kernel of this machine, in nanoseconds: to see which ratios survive
//! emulation.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Context, Result, anyhow, ensure};
use evidence::bench::{self, Heard};
use ground::{
    cache::write_whole,
    context::Ctx,
    exec,
    outcome::{Count, Done, Outcome},
};
use guest::channel::EVENTS;
use kernel::series::{DEFAULT, Series};
use results::bench::{BenchEvent, Origin, Record, Row, Skipped};
use serde::Serialize;

use crate::{cli, programs, record, run_report::Report, say::say, workshop::Workshop};

/// The kernel and the accel of its rows.
const NATIVE: &str = "native";

/// `calibrate.json`.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    environment: &'a Report,
    /// `uname -r` of this machine.
    release: String,
    #[serde(flatten)]
    record: &'a Record,
}

/// Runs it and writes what came of it. Where the machine does not let programs be loaded nothing fails: the reasons are told
/// and counted.
///
/// # Errors
/// When the lab does not build, or did not come to its end.
pub fn run(ctx: &Ctx, opts: &cli::Calibrate) -> Result<Done> {
    let room = record::open(ctx, "bench", "calibrate.json")?;
    let series = Series::read(&ctx.root, DEFAULT)?;
    let shop = Workshop::open(ctx, &opts.kernel)?;
    let include = shop.headers(&series)?;
    let programs = ctx.phase("lab", || programs::build(ctx, &include, &["lab"]))?;
    let started = Instant::now();
    let heard = ctx.phase("calibrate", || Ok((measure(ctx, &programs, &room.folder, opts)?, false)))?;
    let mut record = record(&heard);
    record.seconds = started.elapsed().as_secs_f64();
    record.ratios = bench::ratios(&record.rows).0;
    let broken: Vec<String> =
        heard.failed.iter().map(|(what, error, _)| format!("{what}: {error}")).collect();
    let mut report = Report::new(ctx, 0, "");
    report.verdict = Outcome::from_ok(broken.is_empty());
    report.reason = broken.first().cloned().unwrap_or_else(|| match record.skipped.first() {
        Some(skipped) if record.rows.is_empty() => format!("nothing could be measured: {}", skipped.reason),
        _ => "every operation did what it says".into(),
    });
    report.phases = ctx.phases.borrow().clone();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
    let written = Written { environment: &report, release, record: &record };
    write_whole(&room.path, &results::rows::lines(&written)?)?;
    if opts.json {
        say!("{}", fs::read_to_string(&room.path)?)?;
        return Ok(report.verdict.into());
    }
    if !record.rows.is_empty() {
        say!("{}\n", bench::tables(&record))?;
    }
    ctx.events.note(format!("{}; {}", report.reason, room.path.display()));
    let count =
        Count { passed: record.rows.len(), failed: heard.failed.len(), skipped: record.skipped.len() };
    Ok(Done::counted(count))
}

/// Runs the bench here. It makes maps and programs of its own, and ends with them.
fn measure(ctx: &Ctx, programs: &Path, folder: &Path, opts: &cli::Calibrate) -> Result<Heard> {
    let events = folder.join(format!("calibrate-{EVENTS}"));
    let _ = fs::remove_file(&events);
    let mut command = Command::new(programs.join("lab"));
    command.args(["bench", "--native", "--events"]).arg(&events);
    if let Some(filter) = &opts.filter {
        command.arg("--filter").arg(filter);
    }
    exec::stream(ctx, &command, "calibrate", |_| ())?;
    let text = fs::read_to_string(&events).with_context(|| format!("cannot read {}", events.display()))?;
    let said = results::read_events::<BenchEvent>(&text).map_err(|e| anyhow!("{}: {e}", events.display()))?;
    let mut heard = Heard::default();
    for event in said {
        heard.hear(event);
    }
    ensure!(heard.done(), "the bench ended without finishing its steps: see {}", events.display());
    ensure!(heard.planned() != Some(0), "nothing to measure: is --filter right?");
    Ok(heard)
}

fn record(heard: &Heard) -> Record {
    let origin = Origin {
        kernel: NATIVE.into(),
        accel: NATIVE.into(),
        config_sha256: String::new(),
        compiler: String::new(),
        image_sha256: String::new(),
    };
    let rows = heard.measures.iter().map(|measure| Row { measure: measure.clone(), origin: origin.clone() });
    let skipped = heard.skipped.iter().map(|(group, what, reason)| Skipped {
        group: *group,
        what: what.clone(),
        kernel: NATIVE.into(),
        reason: reason.clone(),
    });
    Record { rows: rows.collect(), skipped: skipped.collect(), ..Record::default() }
}
