// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask races`: the matrix of refresh × gc, with the evidence behind each cell.

use std::fs;

use anyhow::{Result, bail, ensure};
use evidence::races::{self, Kept, Look, Machine, Matrix, judge};
use ground::{context::Ctx, events::Event, outcome::Done};
use guest::verdict::{Judged, is_broken};
use kernel::{
    profile::{LEAN, RT},
    series::{DEFAULT, NONE, Series},
    stock,
};
use results::Accel;

use crate::{
    booted, cli, matrix_file, programs,
    record::{self, Room},
    run_report::{Place, Report, Test},
    runs::lab::{Asked, Options, Races},
    say::say,
    steps::{self, Bench},
    workshop::Workshop,
};

/// Where the races run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground<'a> {
    /// In the model alone.
    Model,
    /// In guests, on kernels with a series, of this profile.
    Series(&'a str),
    /// On this machine's own kernel.
    Here,
    /// In a guest, on Debian's own kernel of this line.
    Stock(&'a str),
}

impl<'a> Ground<'a> {
    fn of(opts: &'a cli::Races) -> Self {
        match &opts.stock {
            Some(line) => Self::Stock(line),
            None if opts.here => Self::Here,
            None if opts.model_only => Self::Model,
            None => Self::Series(&opts.kernel.profile),
        }
    }

    /// The record's name, without its ending.
    fn name(self) -> String {
        match self {
            Self::Model | Self::Series(LEAN) => "matrix".into(),
            Self::Series(profile) => format!("matrix-{profile}"),
            Self::Here => "here".into(),
            Self::Stock(line) => format!("stock-{line}"),
        }
    }

    /// Where its tests ran.
    fn place(self, series: &str) -> Place {
        match self {
            Self::Model | Self::Here => Place::Host,
            Self::Stock(_) => Place::Base,
            Self::Series(_) if series == NONE => Place::Base,
            Self::Series(_) => Place::Series,
        }
    }
}

/// Runs it, writes the matrix whatever happens, and prints it.
///
/// # Errors
/// Only when not even the matrix can be written.
pub fn run(ctx: &Ctx, opts: &cli::Races) -> Result<Done> {
    let ground = Ground::of(opts);
    let file = format!("{}.json", ground.name());
    let room = match ground {
        Ground::Model => record::open_apart(ctx, "races-model", &file)?,
        _ => record::open(ctx, "races", &file)?,
    };
    room.keep_events(ctx)?;
    let mut machine = (ground == Ground::Here).then(Machine::this);
    let mut report = match ground {
        // No guest, and no configuration of ours.
        Ground::Here => Report::new(ctx, 0, ""),
        Ground::Stock(_) => Report::new(ctx, opts.machine.vcpus(), ""),
        Ground::Model | Ground::Series(_) => Report::new(ctx, opts.machine.vcpus(), &opts.kernel.profile),
    };
    let mut matrix = Matrix::default();
    match race(
        ctx,
        opts,
        ground,
        &room,
        &mut Told { report: &mut report, machine: &mut machine, matrix: &mut matrix },
    ) {
        Ok(Judged { outcome, tests, splats, reason }) => {
            let agreed =
                if ground == Ground::Model { "every cell was explored" } else { "the evidence agrees" };
            report.verdict = outcome;
            report.reason = if reason.is_empty() { agreed.into() } else { reason };
            report.splats = splats;
            let kernel = ground.place(&opts.series);
            report.tests = tests.into_iter().map(|result| Test { kernel, result }).collect();
        }
        Err(e) => report.reason = format!("{e:#}"),
    }
    report.phases = ctx.phases.borrow().clone();
    matrix_file::write_with(&room.path, &report, machine.as_ref(), &matrix)?;
    for test in report.tests.iter().filter(|test| is_broken(test.result.status)) {
        ctx.events.emit(&Event::TestFinished(test.result.clone()));
    }
    if !opts.json {
        show(&matrix)?;
        if let Some(machine) = &machine {
            say!("on {}\n", machine.words())?;
        }
    }
    record::end(ctx, &room.path, &report, report.count(), opts.json)
}

/// What is told of a run.
struct Told<'a> {
    report: &'a mut Report,
    machine: &'a mut Option<Machine>,
    matrix: &'a mut Matrix,
}

/// Fills it.
fn race(
    ctx: &Ctx,
    opts: &cli::Races,
    ground: Ground<'_>,
    room: &Room,
    told: &mut Told<'_>,
) -> Result<Judged> {
    let Told { report, machine, matrix } = told;
    let unpatched = matches!(ground, Ground::Here | Ground::Stock(_));
    let asked = Asked { filter: opts.filter.clone(), quick: opts.quick, unpatched };
    let mut limits = opts.limits.limits();
    let keep = room.folder.join(format!("{}.jsonl", ground.name()));
    let options = Options { long: opts.long, keep: &keep };
    match ground {
        Ground::Model => {
            let races = Races { ctx, asked, limits };
            races.model(matrix)?;
            // No guest showed anything.
            judge::judge(matrix, &[], races.asked.filter.is_some())
        }
        Ground::Here | Ground::Stock(_) if !opts.from.is_empty() => {
            let kept = Kept::read(&opts.from)?;
            let there = kept.machine()?;
            if let Ground::Stock(line) = ground {
                let release = &there.release;
                ensure!(
                    stock::named(line)?.has(release),
                    "the events are of kernel {release}, and not of {line}"
                );
            }
            **machine = Some(there);
            let races = Races { ctx, asked, limits };
            races.model(matrix)?;
            races.kept(kept, None, matrix)
        }
        Ground::Here => {
            let _ = fs::remove_file(&keep);
            if let Some(why) = races::why_not() {
                bail!("{why}");
            }
            if let Some(machine) = &**machine {
                ctx.events.note(machine.words());
            }
            let races = Races { ctx, asked, limits };
            let said = races.model(matrix)?;
            let include = Workshop::open(ctx, &opts.kernel)?.headers(&Series::read(&ctx.root, DEFAULT)?)?;
            let programs = ctx.phase("lab", || programs::build(ctx, &include, &["lab"]))?;
            races.here(&programs, &said, options, matrix)
        }
        Ground::Stock(line) => {
            let _ = fs::remove_file(&keep);
            let races = Races { ctx, asked, limits };
            let said = races.model(matrix)?;
            let include =
                Workshop::open_for_guests(ctx, &opts.kernel)?.headers(&Series::read(&ctx.root, DEFAULT)?)?;
            let vng = steps::vng(ctx, &opts.kernel)?;
            let kernel = ctx.phase(&format!("Debian's kernel {line}"), || {
                stock::get(ctx, line, opts.kernel.refresh, opts.kernel.offline)
            })?;
            report.kernel = Some(kernel.report()?);
            let programs = ctx.phase("tests", || programs::build(ctx, &include, &programs::PROGRAMS))?;
            let bench = Bench::stock(ctx, vng, &opts.machine, &kernel, programs)?;
            let accel = bench.machine.accel;
            report.accel = Some(accel);
            **machine = Some(Machine {
                release: kernel.release.clone(),
                cpus: usize::try_from(bench.machine.cpus)?,
                hypervisor: if accel == Accel::Kvm { "QEMU, KVM".into() } else { "QEMU, emulated".into() },
                model: String::new(),
            });
            races.stock(&bench, &kernel, &said, options, report, matrix)
        }
        Ground::Series(_) => {
            // A wrong name is told before anything is fetched.
            let series = Series::read(&ctx.root, &opts.series)?;
            if let Some(first) = opts.from.first() {
                let kept = Kept::read(&opts.from)?;
                kept.only(opts.kernel.profile == RT)?;
                booted::beside(first)?.tell(report);
                let races = Races { ctx, asked, limits };
                races.model(matrix)?;
                return races.kept(kept, Some(&opts.series), matrix);
            }
            let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
            limits = limits.times(shop.profile.patience);
            let vng = steps::vng(ctx, &opts.kernel)?;
            let built = shop.build(&series)?;
            report.kernel = Some(shop.report_of(&built));
            let bench = Bench::open(ctx, &shop.program_headers(&built)?, vng, &opts.machine, &built)?;
            report.accel = Some(bench.machine.accel);
            Races { ctx, asked, limits }.run(
                &|series| shop.build_and_tell(series),
                &bench,
                &built,
                report,
                matrix,
            )
        }
    }
}

/// The tables, their legend, and a sentence for each discipline.
fn show(matrix: &Matrix) -> Result<()> {
    if matrix.rows.is_empty() {
        return Ok(());
    }
    say!("{}\n{}\n", races::tables(matrix, Look::of_stdout()), races::legend())?;
    for sentence in races::sentences(matrix) {
        say!("{sentence}")?;
    }
    say!("")
}
