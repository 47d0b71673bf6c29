// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask ci`: every check there is, the quick ones first. Nothing is booted while those fail.

use std::path::Path;

use anyhow::{Result, bail};
use evidence::races::why_not;
use ground::{
    context::Ctx,
    events::Events,
    exec::{self, CommandFailed},
    outcome::{Count, Done, Outcome},
    space, view,
};
use kernel::series::{DEFAULT, Series};
use results::Status;

use crate::{
    browser, cargo,
    cli::{Bench, Ci, Cli, Command as Xtask, Drill, Patches, Soak, Time, VmTest},
    documented, libtest,
    workshop::Workshop,
};

/// When a step is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Always: it takes seconds, or finds what a person is most likely to have got wrong.
    Early,
    /// Builds kernels or boots them: not while an early step fails.
    Late,
}

/// Runs another command.
type Command<'a> = &'a dyn Fn(&Ctx, &Xtask) -> Result<Done>;

/// A step: its name in the summary, when, and how.
type Step = (&'static str, Stage, fn(&Ctx, &Ci, Command<'_>) -> Result<Done>);

/// What fails fast comes first.
const STEPS: [Step; 13] = [
    ("fmt", Stage::Early, |ctx, _, _| cargo(ctx, "fmt", &["fmt", "--all", "--check"], None)),
    ("documented commands", Stage::Early, |ctx, _, _| documented(ctx)),
    ("clippy", Stage::Early, |ctx, _, _| {
        let arguments = [&["clippy", "--quiet", "--all-targets", "--"][..], &LINTS].concat();
        cargo(ctx, "clippy", &arguments, None)
    }),
    ("patches", Stage::Early, patches),
    ("unit tests", Stage::Early, |ctx, _, _| {
        cargo(ctx, "unit tests", &["test", "--no-fail-fast", "--", "--show-output"], None)
    }),
    ("clippy of what needs clang", Stage::Early, |ctx, opts, _| {
        selftests_rs(ctx, opts, "clippy of what needs clang", "clippy", &["--quiet", "--all-targets"], &LINTS)
    }),
    ("tests of what needs clang", Stage::Early, |ctx, opts, _| {
        selftests_rs(ctx, opts, "tests of what needs clang", "test", &["--no-fail-fast"], &["--show-output"])
    }),
    ("report", Stage::Early, |ctx, _, _| {
        browser::check_if_there(ctx, &ctx.root.join("docs/report/index.html"))
    }),
    ("soak", Stage::Late, soak),
    ("vm-test", Stage::Late, vm_test),
    ("time", Stage::Late, time),
    ("bench", Stage::Late, bench),
    ("drill", Stage::Late, drill),
];

/// Packages that need clang, which cargo's defaults leave out; and `cmpdel` once more, with what needs it.
const CLANG: [&str; 6] = ["selftests", "lab", "bpf-build", "libbpf-log", "keep", "cmpdel"];

/// For clippy.
const LINTS: [&str; 2] = ["-D", "warnings"];

/// Runs the steps and sums up; `command` runs those that are commands of their own.
///
/// # Errors
/// Only for a run that was interrupted or out of time.
pub fn run(ctx: &Ctx, opts: &Ci, command: Command<'_>) -> Result<Done> {
    let mut total = Total::default();
    let mut left_out = Vec::new();
    for (name, stage, step) in STEPS {
        if stage == Stage::Late && total.outcome != Outcome::Passed {
            left_out.push(name);
            total.count.add(Status::Skip);
            continue;
        }
        total.add(ctx, name, step(ctx, opts, command))?;
    }
    if !left_out.is_empty() {
        ctx.events.note(format!("not run: {}; what is above has to be mended first", left_out.join(", ")));
    }
    Ok(total.done())
}

fn patches(ctx: &Ctx, opts: &Ci, command: Command<'_>) -> Result<Done> {
    match typed(&["patches"])? {
        Xtask::Patches(patches) => {
            command(&again(ctx)?, &Xtask::Patches(Patches { kernel: opts.kernel.clone(), ..patches }))
        }
        other => bail!("patches was read as {other:?}"),
    }
}

fn vm_test(ctx: &Ctx, opts: &Ci, command: Command<'_>) -> Result<Done> {
    let defaults = vm_test_defaults()?;
    let vm_test = VmTest { kernel: opts.kernel.clone(), machine: opts.machine.clone(), ..defaults };
    command(&again(ctx)?, &Xtask::VmTest(vm_test))
}

/// Whether every operation does what it says while it is timed; the figures decide nothing.
fn bench(ctx: &Ctx, opts: &Ci, command: Command<'_>) -> Result<Done> {
    match typed(&["bench", "--quick"])? {
        Xtask::Bench(bench) => {
            let (kernel, machine) = (opts.kernel.clone(), opts.machine.clone());
            command(&again(ctx)?, &Xtask::Bench(Bench { kernel, machine, ..bench }))
        }
        other => bail!("bench was read as {other:?}"),
    }
}

/// The quick form, here: a guest would be slower and show no more in a minute.
fn soak(ctx: &Ctx, opts: &Ci, command: Command<'_>) -> Result<Done> {
    if let Some(why) = why_not() {
        ctx.events.note(format!("soak: skipped: {why}"));
        return Ok(Done::counted(Count { skipped: 1, ..Count::default() }));
    }
    match typed(&["soak", "--here", "--quick"])? {
        Xtask::Soak(soak) => {
            command(&again(ctx)?, &Xtask::Soak(Soak { kernel: opts.kernel.clone(), ..soak }))
        }
        other => bail!("soak was read as {other:?}"),
    }
}

/// The quick form, on the kernel that vm-test has built.
fn time(ctx: &Ctx, opts: &Ci, command: Command<'_>) -> Result<Done> {
    match typed(&["time", "--quick"])? {
        Xtask::Time(time) => {
            let (kernel, machine) = (opts.kernel.clone(), opts.machine.clone());
            command(&again(ctx)?, &Xtask::Time(Time { kernel, machine, ..time }))
        }
        other => bail!("time was read as {other:?}"),
    }
}

fn drill(ctx: &Ctx, opts: &Ci, command: Command<'_>) -> Result<Done> {
    let (kernel, machine) = (opts.kernel.clone(), opts.machine.clone());
    let drill = Drill { kernel, machine, series: DEFAULT.into(), kvm: Vec::new() };
    command(&again(ctx)?, &Xtask::Drill(drill))
}

/// What `cargo xtask` makes of these words.
fn typed(words: &[&str]) -> Result<Xtask> {
    Ok(Cli::typed(words)?.command)
}

/// As if typed: `vm-test --with-base`.
fn vm_test_defaults() -> Result<VmTest> {
    match typed(&["vm-test", "--with-base", "--series", DEFAULT])? {
        Xtask::VmTest(opts) => Ok(opts),
        other => bail!("vm-test was read as {other:?}"),
    }
}

/// The sum of the steps.
struct Total {
    outcome: Outcome,
    count: Count,
}

impl Default for Total {
    fn default() -> Self {
        Self { outcome: Outcome::Passed, count: Count::default() }
    }
}

impl Total {
    /// Adds a step. One without numbers of its own counts as one.
    fn add(&mut self, ctx: &Ctx, name: &str, ended: Result<Done>) -> Result<()> {
        ctx.still_wanted()?;
        let done = ended.unwrap_or_else(|e| {
            ctx.events.note(format!("{name}: {e:#}"));
            Outcome::CouldNotRun.into()
        });
        let mut count = done.count.unwrap_or_default();
        if count == Count::default() {
            count.add(if done.outcome == Outcome::Passed { Status::Pass } else { Status::Fail });
        }
        ctx.events.note(format!("{name}: {}: {count}", done.outcome.words()));
        self.count += count;
        // A known fault says more than something that could not be tried.
        self.outcome = match (self.outcome, done.outcome) {
            (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
            (Outcome::CouldNotRun, _) | (_, Outcome::CouldNotRun) => Outcome::CouldNotRun,
            _ => Outcome::Passed,
        };
        Ok(())
    }

    fn done(self) -> Done {
        Done { outcome: self.outcome, count: Some(self.count) }
    }
}

/// Runs cargo; a failure is a fault found, unless the disk is full. Test results in what it says are counted.
fn cargo(ctx: &Ctx, name: &str, arguments: &[&str], headers: Option<&Path>) -> Result<Done> {
    let command = cargo::command(ctx, arguments, headers);
    let mut count = Count::default();
    let ended = ctx.phase(name, || {
        let log = format!("ci-{}", name.replace(' ', "-"));
        Ok((exec::stream(ctx, &command, &log, |line| libtest::count(line, &mut count)), false))
    })?;
    match ended {
        Ok(_) => Ok(Done { outcome: Outcome::Passed, count: Some(count) }),
        Err(e) => {
            let Some(failed) = e.downcast_ref::<CommandFailed>() else { return Err(e) };
            // Its last lines alone: further up stands what tests say of disks that they fill themselves.
            if failed.last.iter().any(|line| space::says_full(line))
                && let Some(full) = failed.filled(&ctx.out)
            {
                return Err(full);
            }
            ctx.events.note(format!("{e:#}"));
            count.failed = count.failed.max(1);
            Ok(Done { outcome: Outcome::Failed, count: Some(count) })
        }
    }
}

/// Each command line in the documents is one that the programs take.
fn documented(ctx: &Ctx) -> Result<Done> {
    ctx.phase("documented commands", || {
        let mut count = Count::default();
        for (line, fault) in documented::check(ctx)? {
            count.add(if fault.is_none() { Status::Pass } else { Status::Fail });
            if let Some(fault) = fault {
                ctx.events.note(format!("{line}: {fault}"));
            }
        }
        Ok((Done::counted(count), false))
    })
}

/// Has cargo look at the crates that need clang, with the headers of the patched kernel. `name` is that of the step, `more`
/// goes to what cargo runs.
fn selftests_rs(
    ctx: &Ctx,
    opts: &Ci,
    name: &str,
    command: &str,
    options: &[&str],
    more: &[&str],
) -> Result<Done> {
    let ctx = again(ctx)?;
    let shop = Workshop::open(&ctx, &opts.kernel)?;
    let include = shop.headers(&Series::read(&ctx.root, DEFAULT)?)?;
    let packages: Vec<&str> = CLANG.iter().flat_map(|package| ["--package", package]).collect();
    let features = ["--features", "cmpdel/stripes"];
    let arguments = [&[command], options, &packages, &features, &["--"], more].concat();
    cargo(&ctx, name, &arguments, Some(&include))
}

/// For a command of its own: it tells its own phases, in what is left of the time.
fn again(ctx: &Ctx) -> Result<Ctx> {
    ctx.again(Events::new(view::choose(false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vm_test_is_asked_for_with_the_base() {
        let opts = vm_test_defaults().unwrap();
        assert!(opts.with_base && opts.series == DEFAULT && opts.filter.is_none());
    }
}
