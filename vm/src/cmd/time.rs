// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask time`: CPUs held with a lock in their hands, a guest that stands still, clocks that are set.

use anyhow::{Result, bail};
use evidence::time::{self, Heard, Seen};
use ground::{cache::write_whole, context::Ctx, events::Event, exec::quoted, outcome::Done};
use guest::{
    channel::EVENTS,
    debugger, monitor,
    verdict::{Judged, is_broken},
};
use kernel::series::Series;
use serde::Serialize;

use crate::{
    cli,
    record::{self, Room},
    run_report::{Place, Report, Test},
    steps::{self, Bench, Guest},
    workshop::Workshop,
};

/// `time.json`.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(flatten)]
    environment: &'a Report,
    /// For how long each CPU was held, in ms.
    hold_ms: u64,
    scenes: Vec<Scene<'a>>,
}

/// What was seen in a scene.
#[derive(Serialize)]
struct Scene<'a> {
    scene: &'a str,
    #[serde(flatten)]
    seen: &'a Seen,
}

/// Of guests, each of which goes on where QEMU has left the one before.
const NAMES: [&str; 3] = ["time", "time-again", "time-once-more"];
/// In the quick form.
const QUICK_HOLD: u64 = 1500;
/// Else.
const HOLD: u64 = 6000;

/// Runs it, writes the record whatever happens, and prints the verdict.
///
/// # Errors
/// Only when not even the record can be written.
pub fn run(ctx: &Ctx, opts: &cli::Time) -> Result<Done> {
    let room = record::open(ctx, "time", "time.json")?;
    room.keep_events(ctx)?;
    let mut report = Report::new(ctx, opts.machine.vcpus(), &opts.kernel.profile);
    let mut heard = Heard::default();
    let hold = opts.hold.unwrap_or(if opts.quick { QUICK_HOLD } else { HOLD });
    match tried(ctx, opts, hold, &mut report, &mut heard) {
        Ok(Judged { outcome, tests, splats, reason }) => {
            report.verdict = outcome;
            report.reason =
                if reason.is_empty() { "nobody hung, and nothing was lost".into() } else { reason };
            report.splats = splats;
            report.tests = tests.into_iter().map(|result| Test { kernel: Place::Series, result }).collect();
        }
        Err(e) => report.reason = format!("{e:#}"),
    }
    report.phases = ctx.phases.borrow().clone();
    write(&room, &report, hold, &heard)?;
    for test in report.tests.iter().filter(|test| is_broken(test.result.status)) {
        ctx.events.emit(&Event::TestFinished(test.result.clone()));
    }
    if !opts.json && !report.tests.is_empty() {
        let tests: Vec<_> = report.tests.iter().map(|test| test.result.clone()).collect();
        println!("{}\n", time::table(&tests));
    }
    record::end(ctx, &room.path, &report, report.count(), opts.json)
}

fn write(room: &Room, report: &Report, hold_ms: u64, heard: &Heard) -> Result<()> {
    let scenes = heard.seen.iter().map(|(scene, seen)| Scene { scene, seen }).collect();
    write_whole(&room.path, &results::rows::lines(&Record { environment: report, hold_ms, scenes })?)
}

/// Boots the kernel with the series, with a debugger and the monitor beside it, and judges what was seen.
fn tried(ctx: &Ctx, opts: &cli::Time, hold: u64, report: &mut Report, heard: &mut Heard) -> Result<Judged> {
    // A wrong name is told before anything is fetched.
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    report.kernel = Some(shop.report_of(&built));
    let bench = Bench::open(ctx, &shop.program_headers(&built)?, vng, &opts.machine, &built)?;
    report.accel = Some(bench.machine.accel);
    let limits = opts.limits.limits().times(shop.profile.patience);
    let mut command = format!("./lab time --events {EVENTS} --hold {hold}");
    if opts.quick {
        command.push_str(" --quick");
    }
    if let Some(filter) = &opts.filter {
        command.push_str(&format!(" --filter {}", quoted(filter)));
    }
    let mut consoles = Vec::new();
    for name in NAMES {
        heard.next_guest();
        report.consoles.push(bench.console(name));
        let run = bench.run_folder(name)?;
        let command = format!("{command} --skip {}", heard.seen.len());
        let beside = debugger::beside(&run).and(monitor::beside(&run));
        let guest = Guest { name, run: &run, command: &command, limits, beside };
        let (ended, console) = bench.boot(&built, guest, heard)?;
        consoles.push(console);
        if !debugger::is_lost(&run) {
            return time::judge(heard, ended, &consoles, limits.boot.as_secs(), limits.silence.as_secs());
        }
        ctx.events.note("QEMU no longer does as its debugger says: another guest goes on from there");
    }
    bail!("QEMU no longer did as its debugger said, in {} guests one after the other", NAMES.len())
}
