// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask keep`: the tests of `keep/`, on this machine's kernel or on Debian's in a guest.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use ground::{
    context::Ctx,
    events::Events,
    exec, lock,
    outcome::{Count, Done, Outcome},
};
use guest::{beside::Beside, listener::Listener, machine::Limits};
use kernel::{
    series::{DEFAULT, Series},
    stock,
};
use serde_json::Value;

use crate::{
    cargo,
    cli::Keep,
    libtest,
    steps::{self, Bench, Guest},
    workshop::{self, Workshop},
};

/// What the test programs said in the guest.
const SAID: &str = "said.txt";
/// How it ended there.
const STATUS: &str = "status.txt";

/// Builds the tests, runs them, and counts.
///
/// # Errors
/// Those of the steps; a guest in which the tests did not come to their end.
pub fn run(ctx: &Ctx, opts: &Keep) -> Result<Done> {
    let _lock = lock::take_folder(ctx, &ctx.out)?;
    if opts.stock.is_some() {
        workshop::guests_take(ctx)?;
    }
    let include = Workshop::open(ctx, &opts.kernel)?.headers(&Series::read(&ctx.root, DEFAULT)?)?;
    let tests = ctx.phase("tests", || Ok((build(ctx, &include)?, false)))?;
    let mut count = Count::default();
    let passed = match &opts.stock {
        None => here(ctx, opts, &tests, &mut count)?,
        Some(line) => in_guest(ctx, opts, line, &tests, &mut count)?,
    };
    count.failed = count.failed.max(usize::from(!passed));
    Ok(Done { outcome: Outcome::from_ok(passed), count: Some(count) })
}

/// The test programs of the package.
fn build(ctx: &Ctx, include: &Path) -> Result<Vec<PathBuf>> {
    let arguments = ["test", "--package", "keep", "--lib", "--tests", "--no-run", "--message-format", "json"];
    let cargo = cargo::command(ctx, &arguments, Some(include));
    let mut programs = Vec::new();
    exec::stream(ctx, &cargo, "keep-build", |line| {
        programs.extend(cargo::built(line).filter(|built| built.is_test).map(|built| built.program));
    })
    .context("the tests do not build")?;
    ensure!(!programs.is_empty(), "cargo has built no test of keep");
    Ok(programs)
}

fn options(opts: &Keep) -> Vec<String> {
    let filter = opts.filter.iter().cloned();
    filter.chain(["--show-output".to_owned()]).collect()
}

fn here(ctx: &Ctx, opts: &Keep, tests: &[PathBuf], count: &mut Count) -> Result<bool> {
    let mut passed = true;
    ctx.phase("keep here", || {
        for test in tests {
            let mut command = Command::new(test);
            command.args(options(opts)).current_dir(ctx.root.join("keep"));
            let ended = exec::stream(ctx, &command, "keep", |line| libtest::count(line, count));
            passed &= match ended {
                Ok(_) => true,
                Err(error) if error.is::<exec::CommandFailed>() => {
                    ctx.events.note(format!("{error:#}"));
                    false
                }
                Err(error) => return Err(error),
            };
        }
        Ok(((), false))
    })?;
    Ok(passed)
}

fn in_guest(ctx: &Ctx, opts: &Keep, line: &str, tests: &[PathBuf], count: &mut Count) -> Result<bool> {
    let vng = steps::vng(ctx, &opts.kernel)?;
    let kernel = ctx.phase(&format!("Debian's kernel {line}"), || {
        stock::get(ctx, line, opts.kernel.refresh, opts.kernel.offline)
    })?;
    let bench = Bench::stock(ctx, vng, &opts.machine, &kernel, PathBuf::new())?;
    let name = format!("keep-{line}");
    let run = guest::folder::fresh_run_folder(&ctx.out, &name)?;
    // What compilers say they say on any kernel, and they take long under emulation.
    let words = options(opts).into_iter().chain(["--skip".to_owned(), "headers::".to_owned()]);
    let words = words.collect::<Vec<_>>().iter().map(|word| exec::quoted(word)).collect::<Vec<_>>().join(" ");
    let mut script = String::from("status=0\n");
    for (number, test) in tests.iter().enumerate() {
        let program = format!("test-{number}");
        fs::copy(test, run.join(&program)).with_context(|| format!("cannot copy {}", test.display()))?;
        script.push_str(&format!("./{program} {words} >>{SAID} 2>&1 || status=1\n"));
    }
    script.push_str(&format!("echo $status >{STATUS}\n"));
    fs::write(run.join("tests.sh"), script).context("cannot write the guest's script")?;

    let limits = Limits {
        boot: Duration::from_secs(opts.boot_timeout),
        silence: Duration::from_secs(opts.test_timeout),
    };
    let guest = Guest { name: &name, run: &run, command: "sh tests.sh", limits, beside: Beside::default() };
    let booted = bench.boot_image(&steps::stock_image(&kernel), guest, &mut Nothing);
    let said = fs::read_to_string(run.join(SAID)).unwrap_or_default();
    said.lines().for_each(|line| libtest::count(line, count));
    let (_, console) = booted?;
    let status = fs::read_to_string(run.join(STATUS)).ok();
    let tail = || exec::last_lines(if said.is_empty() { &console } else { &said }).join("\n    | ");
    let status = status.with_context(|| {
        format!("the tests did not come to their end on {}; it ends:\n    | {}", kernel.release, tail())
    })?;
    let passed = status.trim() == "0";
    if !passed {
        ctx.events.note(format!("on {}:\n    | {}", kernel.release, tail()));
    }
    ctx.events.note(format!("what they said is in {}", run.join(SAID).display()));
    Ok(passed)
}

/// The tests write no events.
struct Nothing;

impl Listener for Nothing {
    type Event = Value;

    fn take_in(&mut self, _: &Events, _: Value) {}

    fn running(&self) -> Option<&str> {
        None
    }
}
