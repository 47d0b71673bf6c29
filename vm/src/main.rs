// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask`: from a fresh machine to a verdict on a patched kernel. This file only dispatches.

mod besides;
mod booted;
mod browser;
mod built;
mod cargo;
mod cli;
mod cmd;
mod cpus;
mod documented;
mod environment;
mod inventory;
mod kept;
mod libtest;
mod matrix_file;
mod mutant;
mod programs;
mod record;
mod report_inputs;
mod repository;
mod run_report;
mod runs;
mod say;
mod steps;
mod toolbox;
mod workshop;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use ground::{
    context::Ctx,
    events::Events,
    outcome::{Done, Outcome},
    view,
};

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let done = environment::settle().and_then(|()| dispatch(&Cli::parse().command)).unwrap_or_else(|e| {
        eprintln!("could not run: {e:#}");
        Outcome::CouldNotRun.into()
    });
    if let Some(count) = done.count {
        // Whoever does not read it has the exit code.
        let _ = say::say!("{count}");
    }
    done.outcome.into()
}

/// For commands that only look.
const SHORT: Duration = Duration::from_secs(600);

fn dispatch(command: &Command) -> Result<Done> {
    let (limit, json) = told_as(command);
    run(&Ctx::new(repository::project()?, Events::new(view::choose(json)), limit)?, command)
}

/// The limit of a command, and whether standard output is for its record.
fn told_as(command: &Command) -> (Duration, bool) {
    match command {
        Command::VmTest(opts) => (opts.kernel.limit(), opts.json),
        Command::Races(opts) => (opts.kernel.limit(), opts.json),
        Command::Soak(opts) => (opts.kernel.limit(), opts.json),
        Command::Report(opts) => (SHORT, opts.brief),
        Command::Bench(opts) => (opts.kernel.limit(), opts.json),
        Command::Calibrate(opts) => (opts.kernel.limit(), opts.json),
        Command::Keep(opts) => (opts.kernel.limit(), false),
        Command::Shell(opts) => (opts.kernel.limit(), false),
        Command::Doctor(opts) => (SHORT, opts.json),
        Command::Ci(opts) => (opts.kernel.limit(), false),
        Command::Patches(opts) => (opts.kernel.limit(), false),
        Command::Bindings(opts) => (opts.kernel.limit(), false),
        Command::Mutants(opts) => (opts.kernel.limit(), false),
        Command::Kselftest(opts) => (opts.kernel.limit(), opts.json),
        Command::Drill(opts) => (opts.kernel.limit(), false),
        Command::Time(opts) => (opts.kernel.limit(), opts.json),
        Command::Clean(_) => (SHORT, false),
    }
}

fn run(ctx: &Ctx, command: &Command) -> Result<Done> {
    match command {
        Command::VmTest(opts) => cmd::vm_test::run(ctx, opts),
        Command::Races(opts) => cmd::races::run(ctx, opts),
        Command::Soak(opts) => cmd::soak::run(ctx, opts),
        Command::Report(opts) => cmd::report::run(ctx, opts),
        Command::Bench(opts) => cmd::bench::run(ctx, opts),
        Command::Calibrate(opts) => cmd::calibrate::run(ctx, opts),
        Command::Keep(opts) => cmd::keep::run(ctx, opts),
        Command::Shell(opts) => cmd::shell::run(ctx, opts),
        Command::Doctor(opts) => cmd::doctor::run(ctx, opts),
        Command::Ci(opts) => cmd::ci::run(ctx, opts, &run),
        Command::Patches(opts) => cmd::patches::run(ctx, opts),
        Command::Bindings(opts) => cmd::bindings::run(ctx, opts),
        Command::Mutants(opts) => cmd::mutants::run(ctx, opts),
        Command::Kselftest(opts) => cmd::kselftest::run(ctx, opts),
        Command::Drill(opts) => cmd::drill::run(ctx, opts),
        Command::Time(opts) => cmd::time::run(ctx, opts),
        Command::Clean(opts) => cmd::clean::run(ctx, opts),
    }
}
