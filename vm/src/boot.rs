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

use anyhow::{Context, Result, ensure};
use ground::{
    context::Ctx,
    events::Event,
    exec::{self, Guarded, quoted},
};
use results::Accel;

use crate::{
    channel,
    pyenv::Vng,
    watch::{self, Ended, Listener},
};

/// The virtual machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// How it is run.
    pub accel: Accel,
    /// Virtual CPUs.
    pub cpus: u32,
    /// As QEMU takes it.
    pub memory: String,
}

/// What QEMU starts.
#[derive(Clone, Debug)]
pub struct Image {
    /// The kernel.
    pub kernel: PathBuf,
    /// A busybox without libraries, for a kernel that has its modules in `../lib/modules` and needs some of them to see its
    /// root.
    pub busybox: Option<PathBuf>,
    /// More words for the kernel's command line.
    pub append: &'static [&'static str],
}

/// When to stop waiting.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the script in the guest to begin.
    pub boot: Duration,
    /// Between two events of the program.
    pub silence: Duration,
}

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

/// The script that runs in the guest: `command` under the result channel.
pub fn script(run: &Path, command: &str) -> String {
    let dir = quoted(&run.display().to_string());
    let (up, status) = (channel::UP, channel::STATUS);
    format!(
        "#!/bin/sh\n# Made for one run by cargo xtask.\ncd {dir} || exit 1\n: > {up}\n{command}\n\
         echo $? > {status}.new\nmv {status}.new {status}\nsync\n"
    )
}

/// The command that boots, without its last part.
pub fn vng_command(image: &Image, machine: &Machine, vng: &Vng, run: &Path) -> Result<Command> {
    let dir = run.display().to_string();
    ensure!(
        !dir.contains(char::is_whitespace),
        "virtme-ng takes no folder with a space in its path: set CARGO_TARGET_DIR to another place than {dir}"
    );
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
    if let Some(busybox) = &image.busybox {
        command.arg("--busybox").arg(busybox);
    }
    if machine.accel == Accel::Tcg {
        // Under emulation the timer check of a boot can fail by mere slowness.
        command.args(["--disable-kvm", "--append", "no_timer_check"]);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(vng.bin.clone()).chain(std::env::split_paths(&path));
    command
        .env("PATH", std::env::join_paths(paths).context("virtme-ng is in a folder that PATH cannot hold")?);
    command.current_dir(run);
    Ok(command)
}

/// Runs in a thread of its own while the guest does; has to return soon after the flag is set, which says that the guest
/// is over.
pub type Task<'a> = Box<dyn FnOnce(&AtomicBool) -> Result<()> + Send + 'a>;

/// What runs on the host beside a guest: a debugger, say.
#[derive(Default)]
pub struct Beside<'a> {
    /// More options for QEMU, a word each.
    pub qemu: Vec<String>,
    /// What to run.
    pub task: Option<Task<'a>>,
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
    let over = AtomicBool::new(false);
    let (ended, task) = thread::scope(|scope| {
        let task = beside.task.map(|task| scope.spawn(|| task(&over)));
        let ended = Guarded::spawn(&command, Stdio::piped(), Stdio::piped())
            .and_then(|guest| watch::watch(ctx, boot, guest, listener));
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

/// Where the folder of a guest is.
pub fn run_folder(out: &Path, name: &str) -> PathBuf {
    out.join(format!("run-{name}"))
}

/// A fresh folder that the guest will see.
///
/// # Errors
/// When it cannot be made.
pub fn fresh_run_folder(out: &Path, name: &str) -> Result<PathBuf> {
    let run = run_folder(out, name);
    if run.exists() {
        fs::remove_dir_all(&run).with_context(|| format!("cannot empty {}", run.display()))?;
    }
    fs::create_dir_all(&run).with_context(|| format!("cannot make {}", run.display()))?;
    Ok(run)
}
