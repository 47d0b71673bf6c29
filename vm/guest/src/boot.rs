// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boots a kernel under virtme-ng.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use ground::{
    cache::write_whole,
    context::Ctx,
    events::Event,
    exec::{self, Guarded},
    place,
};
use results::Accel;

use crate::{
    beside::Beside,
    folder,
    listener::Listener,
    machine::{Ended, Image, Limits, Machine},
    pyenv::Vng,
    test_run::Tests,
    watch::{self, Watched},
};

/// What to boot, and what for.
pub struct Boot<'a> {
    /// The kernel.
    pub image: &'a Image,
    /// The machine.
    pub machine: &'a Machine,
    /// virtme-ng.
    pub vng: &'a Vng,
    /// Folder that the guest sees under the same path, writable; holds `guest.sh`.
    pub run: &'a Path,
    /// Where the console log goes.
    pub console: &'a Path,
    /// The limits.
    pub limits: Limits,
}

/// The command that boots, without its last part.
///
/// # Errors
/// When virtme-ng cannot take the folder, or `PATH` cannot hold its own; a home that cannot be made.
pub fn vng_command(image: &Image, machine: &Machine, vng: &Vng, run: &Path) -> Result<Command> {
    let dir = run.display().to_string();
    place::for_guests(run)?;
    let mut command = Command::new(&vng.program);
    command.arg("--run").arg(&image.kernel).args([
        "--cpus",
        &machine.cpus.to_string(),
        "--memory",
        &machine.memory,
    ]);
    command.arg(format!("--rwdir={dir}={dir}"));
    // The same root file system everywhere, whether or not a virtiofs daemon happens to be installed.
    command.arg("--force-9p");
    match &image.busybox {
        Some(busybox) => command.arg("--busybox").arg(busybox),
        // virtme-ng leaves it out, and a kernel without block devices then knows of no root.
        None => command.args(["--append", "root=/dev/root"]),
    };
    if machine.accel == Accel::Tcg {
        // Under emulation the timer check of a boot can fail by mere slowness.
        command.args(["--disable-kvm", "--append", "no_timer_check"]);
    }
    command.env("HOME", home(run)?);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(vng.bin.clone()).chain(std::env::split_paths(&path));
    command
        .env("PATH", std::env::join_paths(paths).context("virtme-ng is in a folder that PATH cannot hold")?);
    command.current_dir(run);
    Ok(command)
}

/// A home for virtme-ng alone: what a file in that of whoever calls says of CPUs, memory and more would go before the command line.
/// Beside `run`, since a guest must not write to it.
fn home(run: &Path) -> Result<PathBuf> {
    let home = run.with_file_name("virtme-ng-home");
    let folder = home.join(".config/virtme-ng");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write_whole(&folder.join("virtme-ng.conf"), b"{\"default_opts\": {}}\n")?;
    Ok(home)
}

/// Whether a guest begins its script within `limit`, and ends it. `name` names its folder and its console.
///
/// # Errors
/// As of [`boot`]; files that cannot be written.
pub fn comes_up(
    ctx: &Ctx,
    image: &Image,
    machine: &Machine,
    vng: &Vng,
    name: &str,
    limit: Duration,
) -> Result<bool> {
    let run = folder::fresh_run_folder(&ctx.out, name)?;
    fs::write(run.join("guest.sh"), folder::script(&run, "true"))
        .context("cannot write the probe's script")?;
    let console = ctx.out.join(format!("console-{name}.log"));
    let limits = Limits { boot: limit, silence: limit };
    let probe = Boot { image, machine, vng, run: &run, console: &console, limits };
    // Nothing is said; that the script began and ended is all.
    let guest = boot(ctx, &probe, Beside::default(), &mut Tests::new("probe", ""))?;
    Ok(guest.up && guest.status == Some(0))
}

/// Boots and watches. What goes wrong beside the guest is told and decides nothing: the guest's own evidence does.
///
/// # Errors
/// When virtme-ng cannot be started, the channel cannot be read, or the run is interrupted or out of time.
pub fn boot<L: Listener>(ctx: &Ctx, boot: &Boot<'_>, beside: Beside<'_>, listener: &mut L) -> Result<Ended> {
    let mut command = vng_command(boot.image, boot.machine, boot.vng, boot.run)?;
    // A panic ends QEMU (virtme-ng passes panic=-1 and -no-reboot); the time stamps tell kernel lines from others.
    command.args(["--append", "printk.time=1", "--append", "oops=panic", "--verbose"]);
    for word in boot.image.append {
        command.args(["--append", word]);
    }
    if !beside.qemu.is_empty() {
        command.arg(format!("--qemu-opts={}", beside.qemu.join(" ")));
    }
    command.arg("--exec").arg(format!("sh {}", boot.run.join("guest.sh").display()));
    ctx.events.emit(&Event::Command { line: exec::line_of(&command) });
    let watched = Watched { run: boot.run, console: boot.console, limits: boot.limits };
    let over = AtomicBool::new(false);
    let (ended, task) = thread::scope(|scope| {
        let task = beside.task.map(|task| scope.spawn(|| task(&over)));
        let ended = Guarded::spawn(&command, Stdio::piped(), Stdio::piped())
            .and_then(|guest| watch::watch(ctx, watched, guest, listener));
        over.store(true, Ordering::Relaxed);
        (ended, task.map(thread::ScopedJoinHandle::join))
    });
    match task {
        None | Some(Ok(Ok(()))) => {}
        Some(Ok(Err(e))) => ctx.events.note(format!("beside the guest: {e:#}")),
        Some(Err(_)) => ctx.events.note("beside the guest: the task panicked"),
    }
    ended
}
