// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask shell`: the VM of vm-test, for a person.

use std::{fs, process::Stdio};

use anyhow::{Context, Result, ensure};

use crate::{
    boot::vng_command,
    cli::Shell,
    context::Ctx,
    events::Event,
    exec::{line_of, quoted},
    lock,
    outcome::Outcome,
    report::Done,
    series::Series,
    steps::{self, Bench, Workshop},
};

/// Boots and hands over the terminal.
///
/// # Errors
/// Those of the steps; a guest that could not be started.
pub fn run(ctx: &Ctx, opts: &Shell) -> Result<Done> {
    let lock = lock::take_output(ctx)?;
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::open(ctx, &opts.kernel)?;
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    let bench = Bench::open(ctx, vng, &opts.machine, &built)?;
    // Its own folder, so that vm-test can run while the shell is open.
    let run = bench.run_folder(&format!("shell-{}", std::process::id()))?;
    drop(lock);
    let mut command = vng_command(&built.kernel.image(), &bench.machine, &bench.vng, &run)?;
    let shell = opts.exec.as_deref().unwrap_or("exec bash -i");
    let script =
        format!("cd {0} && export PATH={0}:\"$PATH\"\n{shell}\n", quoted(&run.display().to_string()));
    fs::write(run.join("shell.sh"), script).context("cannot write the guest's script")?;
    command.arg("--exec").arg(format!("sh {}", run.join("shell.sh").display()));
    ctx.events.emit(&Event::Command { line: line_of(&command) });
    ctx.events.note(format!("{} is writable in the guest and in its PATH; ctrl-d ends it", run.display()));
    if opts.exec.is_some() {
        command.stdin(Stdio::null());
    }
    let status = command.status().context("cannot start virtme-ng")?;
    let _ = fs::remove_dir_all(&run);
    ensure!(status.success() || status.code().is_some(), "the guest was ended by a signal ({status})");
    Ok(Outcome::from_ok(status.success()).into())
}
