// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask`: from a fresh machine to a verdict on a patched kernel. This file only dispatches.

mod browser;
mod cargo;
mod cli;
mod cmd;
mod documented;
mod environment;
mod inventory;
mod libtest;
mod programs;
mod record;
mod report_inputs;
mod repository;
mod run_report;
mod runs;
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
        println!("{count}");
    }
    done.outcome.into()
}

/// For commands that only look.
const SHORT: Duration = Duration::from_secs(600);

fn dispatch(command: &Command) -> Result<Done> {
    let ctx = |limit, json| Ctx::new(repository::project()?, Events::new(view::choose(json)), limit);
    match command {
        Command::VmTest(opts) => cmd::vm_test::run(&ctx(opts.kernel.limit(), opts.json)?, opts),
        Command::Races(opts) => cmd::races::run(&ctx(opts.kernel.limit(), opts.json)?, opts),
        Command::Report(opts) => cmd::report::run(&ctx(SHORT, opts.brief)?, opts),
        Command::Bench(opts) => cmd::bench::run(&ctx(opts.kernel.limit(), opts.json)?, opts),
        Command::Calibrate(opts) => cmd::calibrate::run(&ctx(opts.kernel.limit(), opts.json)?, opts),
        Command::Keep(opts) => cmd::keep::run(&ctx(opts.kernel.limit(), false)?, opts),
        Command::Shell(opts) => cmd::shell::run(&ctx(opts.kernel.limit(), false)?, opts),
        Command::Doctor(opts) => cmd::doctor::run(&ctx(SHORT, opts.json)?, opts),
        Command::Ci(opts) => cmd::ci::run(&ctx(opts.kernel.limit(), false)?, opts),
        Command::Patches(opts) => cmd::patches::run(&ctx(opts.kernel.limit(), false)?, opts),
        Command::Bindings(opts) => cmd::bindings::run(&ctx(opts.kernel.limit(), false)?, opts),
        Command::Mutants(opts) => cmd::mutants::run(&ctx(opts.kernel.limit(), false)?, opts),
        Command::Kselftest(opts) => cmd::kselftest::run(&ctx(opts.kernel.limit(), opts.json)?, opts),
        Command::Drill(opts) => cmd::drill::run(&ctx(opts.kernel.limit(), false)?, opts),
        Command::Clean(opts) => cmd::clean::run(&ctx(SHORT, false)?, opts),
    }
}
