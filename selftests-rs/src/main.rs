// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests, as root inside the VM, what the kernel promises of `BPF_F_COMPARE`.
//!
//! The console gets KTAP for people; the host reads the events, one JSON object a line, from the file it named.
//! What to expect is said by `--kernel` and never found out by asking the kernel: a broken series that looks like no
//! series at all has to fail.

mod cmpdel;
mod errno;
mod fixture;
mod ktap;
mod ledger;
mod objects;
mod promises;
mod race;
mod runner;
mod series;
mod skeletons;
mod verdict;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

/// The kernel that is being tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kernel {
    /// It carries the series.
    Series,
    /// The same base and config without the series.
    Base,
}

/// Tests what the kernel promises of BPF_F_COMPARE. Wants root, and a machine to throw away.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Which kernel this is; decides what every test expects
    #[arg(long)]
    kernel: Kernel,
    /// File for the results, one JSON event a line
    #[arg(long, required_unless_present = "list")]
    events: Option<PathBuf>,
    /// The `cmpdel` command to test
    #[arg(long, required_unless_present = "list")]
    cmpdel: Option<PathBuf>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "SUBSTR")]
    filter: Option<String>,
    /// Print the names of the tests and run none
    #[arg(long)]
    list: bool,
    /// A tenth of the repetitions where races are provoked
    #[arg(long)]
    quick: bool,
    /// Give up on a race after so long: less than whoever reads the events waits for the next
    #[arg(long, value_name = "SECONDS", default_value_t = 100)]
    race_limit: u64,
    /// How many malformed calls of each command
    #[arg(long, value_name = "N")]
    calls: Option<u64>,
    /// The first of them; call N of seed S is call 0 of seed S + N
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// What a test may want to know.
struct Context {
    kernel: Kernel,
    cmpdel: PathBuf,
    quick: bool,
    race_limit: Duration,
    cpus: usize,
    calls: Option<u64>,
    seed: u64,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("selftests: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<bool> {
    let mut tests = promises::all();
    let kernel = arguments.kernel;
    tests.retain(|test| test.on.includes(kernel));
    if let Some(part) = &arguments.filter {
        tests.retain(|test| test.name.contains(part.as_str()));
        ensure!(!tests.is_empty(), "no test has '{part}' in its name: see --list");
    }
    if arguments.list {
        // A reader that has seen enough is no error.
        let mut out = std::io::stdout().lock();
        let _ = tests.iter().try_for_each(|test| writeln!(out, "{}", test.name));
        return Ok(true);
    }
    let (Some(events), Some(cmpdel)) = (arguments.events, arguments.cmpdel) else {
        anyhow::bail!("--events and --cmpdel are needed to run tests");
    };
    let events = File::create(&events).with_context(|| format!("cannot write {}", events.display()))?;
    let cpus = std::thread::available_parallelism().context("cannot count the CPUs")?.get();
    let race_limit = Duration::from_secs(arguments.race_limit);
    let Arguments { quick, calls, seed, .. } = arguments;
    let context = Context { kernel, cmpdel, quick, race_limit, cpus, calls, seed };
    runner::run(&tests, &context, BufWriter::new(events))
}
