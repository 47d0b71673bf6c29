// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask shell`: the VM of vm-test, for a person.

use std::{fs, process::Stdio};

use anyhow::{Context, Result, ensure};
use ground::{
    context::Ctx,
    events::Event,
    exec::{line_of, quoted},
    lock,
    outcome::{Done, Outcome},
};
use guest::boot::vng_command;
use kernel::series::Series;

use crate::{
    cli::Shell,
    steps::{self, Bench},
    workshop::Workshop,
};

/// Empty in every guest of a Debian host, and in the PATH that virtme-ng sets.
const GUEST_BIN: &str = "/run/current-system/sw/bin";

/// Boots and hands over the terminal.
///
/// # Errors
/// Those of the steps; a guest that could not be started.
pub fn run(ctx: &Ctx, opts: &Shell) -> Result<Done> {
    let lock = lock::take_folder(ctx, &ctx.out)?;
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    let bench = Bench::open(ctx, &shop.program_headers(&built)?, vng, &opts.machine, &built)?;
    // Its own folder, so that vm-test can run while the shell is open.
    let run = bench.run_folder(&format!("shell-{}", std::process::id()))?;
    drop(lock);
    let mut command = vng_command(&built.image(), &bench.machine, &bench.vng, &run)?;
    match &opts.exec {
        Some(line) => {
            let dir = quoted(&run.display().to_string());
            let script = format!("cd {dir} && export PATH={dir}:\"$PATH\"\n{line}\n");
            fs::write(run.join("shell.sh"), script).context("cannot write the guest's script")?;
            command.arg("--exec").arg(format!("sh {}", run.join("shell.sh").display())).stdin(Stdio::null());
        }
        // A script has no terminal in the guest: without one, the programs come into PATH by a mount.
        None => {
            command.arg(format!("--rwdir={GUEST_BIN}={}", run.display()));
        }
    }
    ctx.events.emit(&Event::Command { line: line_of(&command) });
    ctx.events.note(format!("{} is writable in the guest; ctrl-d ends it", run.display()));
    let status = command.status().context("cannot start virtme-ng")?;
    let _ = fs::remove_dir_all(&run);
    ensure!(status.success() || status.code().is_some(), "the guest was ended by a signal ({status})");
    Ok(Outcome::from_ok(status.success()).into())
}
