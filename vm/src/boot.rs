// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boots a kernel under virtme-ng and watches it until it is over, one way or another.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::Receiver,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use results::{Event as GuestEvent, Status, TestResult};

use crate::{
    accel::Accel,
    channel::{self, Channel},
    context::Ctx,
    events::Event,
    exec::{self, Guarded, quoted},
    pyenv::Vng,
    splat,
};

/// Between looks at the guest.
const TICK: Duration = Duration::from_millis(50);
/// For QEMU to end by itself after a panic or a power-off.
const FAREWELL: Duration = Duration::from_secs(20);

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

/// When to stop waiting.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the script in the guest to begin.
    pub boot: Duration,
    /// Between two events of the tests.
    pub silence: Duration,
}

/// What to boot, and what for.
pub struct Boot<'a> {
    /// The kernel image.
    pub image: &'a Path,
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
    /// Which kernel, for the events: `series` or `base`.
    pub kernel: &'a str,
    /// Put before the names of tests.
    pub prefix: &'a str,
}

/// How the guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// QEMU ended by itself.
    Exited,
    /// The kernel panicked.
    Panicked,
    /// The script did not begin in time.
    BootTimeout,
    /// The tests were silent for too long.
    Silent,
}

/// All that was learnt from one guest.
#[derive(Debug)]
pub struct GuestRun {
    /// How it ended.
    pub end: End,
    /// The script began.
    pub up: bool,
    /// The tests that it said it would run.
    pub plan: Option<Vec<String>>,
    /// Those that ended.
    pub finished: Vec<TestResult>,
    /// The one that had begun and not ended.
    pub running: Option<String>,
    /// It said that all was done, and the count was right.
    pub done: bool,
    /// Exit status of the test program.
    pub status: Option<i32>,
    /// Guest seconds are not known; these are the host's, to the first event.
    pub boot_seconds: f64,
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
pub fn vng_command(image: &Path, machine: &Machine, vng: &Vng, run: &Path) -> Result<Command> {
    let dir = run.display().to_string();
    ensure!(
        !dir.contains(char::is_whitespace),
        "virtme-ng takes no folder with a space in its path: set CARGO_TARGET_DIR to another place than {dir}"
    );
    let mut command = Command::new(&vng.program);
    command.arg("--run").arg(image).args(["--cpus", &machine.cpus.to_string(), "--memory", &machine.memory]);
    command.arg(format!("--rwdir={dir}={dir}"));
    // The same root file system everywhere, whether or not a virtiofs daemon happens to be installed.
    command.arg("--force-9p");
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

/// Boots and watches.
///
/// # Errors
/// When virtme-ng cannot be started, the channel cannot be read, or the run is interrupted or out of time.
pub fn boot(ctx: &Ctx, boot: &Boot<'_>) -> Result<GuestRun> {
    let mut command = vng_command(boot.image, boot.machine, boot.vng, boot.run)?;
    // A panic ends QEMU (virtme-ng passes panic=-1 and -no-reboot); the time stamps tell kernel lines from others.
    command.args(["--append", "printk.time=1", "--append", "oops=panic", "--verbose"]);
    command.arg("--exec").arg(format!("sh {}", boot.run.join("guest.sh").display()));
    ctx.events.emit(&Event::Command { line: exec::line_of(&command) });
    let mut guest = Guarded::spawn(&command, Stdio::piped(), Stdio::piped())?;
    let console = Console::of(&mut guest, boot.console)?;
    Watch::new(ctx, boot, console).finish(&mut guest)
}

/// The console: kernel messages on one pipe, programs on another, both kept in one file.
struct Console {
    pipes: Vec<Receiver<String>>,
    file: File,
    panicked: bool,
}

impl Console {
    fn of(guest: &mut Guarded, path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let child = guest.child();
        let mut pipes = Vec::new();
        if let Some(out) = child.stdout.take() {
            pipes.push(exec::lines_of(out));
        }
        if let Some(err) = child.stderr.take() {
            pipes.push(exec::lines_of(err));
        }
        Ok(Self { pipes, file, panicked: false })
    }

    /// Keeps what came since the last call.
    fn pump(&mut self, ctx: &Ctx) -> Result<()> {
        for pipe in &self.pipes {
            for line in pipe.try_iter() {
                writeln!(self.file, "{line}").context("cannot keep the console log")?;
                self.panicked |= splat::is_panic(&line);
                ctx.events.emit(&Event::Output { line });
            }
        }
        Ok(())
    }
}

struct Watch<'a> {
    ctx: &'a Ctx,
    boot: &'a Boot<'a>,
    console: Console,
    channel: Channel,
    run: GuestRun,
    started: Instant,
    last_event: Instant,
    over: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(ctx: &'a Ctx, boot: &'a Boot<'a>, console: Console) -> Self {
        let run = GuestRun {
            end: End::Exited,
            up: false,
            plan: None,
            finished: Vec::new(),
            running: None,
            done: false,
            status: None,
            boot_seconds: 0.0,
        };
        let now = Instant::now();
        let channel = Channel::new(boot.run);
        Self { ctx, boot, console, channel, run, started: now, last_event: now, over: None }
    }

    fn finish(mut self, guest: &mut Guarded) -> Result<GuestRun> {
        loop {
            let exited = guest.child().try_wait()?.is_some();
            self.look()?;
            if exited {
                break;
            }
            if let Some(end) = self.time_out() {
                self.run.end = end;
                guest.kill();
                break;
            }
            if let Err(e) = self.ctx.still_wanted() {
                guest.kill();
                return Err(e.context(match &self.run.running {
                    Some(test) => format!("stopped the guest in {test}"),
                    None => "stopped the guest".into(),
                }));
            }
            thread::sleep(TICK);
        }
        // The pipes may hold a last gasp.
        thread::sleep(TICK);
        self.look()?;
        self.run.status = self.channel.status();
        if self.console.panicked {
            self.run.end = End::Panicked;
        }
        Ok(self.run)
    }

    /// Takes in what the guest said since the last look.
    fn look(&mut self) -> Result<()> {
        self.console.pump(self.ctx)?;
        if !self.run.up && self.channel.is_up() {
            self.run.up = true;
            self.run.boot_seconds = self.started.elapsed().as_secs_f64();
            self.last_event = Instant::now();
        }
        for event in self.channel.events()? {
            self.last_event = Instant::now();
            self.take_in(event);
        }
        if self.over.is_none() && (self.console.panicked || self.channel.status().is_some()) {
            self.over = Some(Instant::now());
        }
        Ok(())
    }

    fn take_in(&mut self, event: GuestEvent) {
        let named = |name: String| format!("{}{name}", self.boot.prefix);
        match event {
            GuestEvent::Plan { release, cpus: _, tests } => {
                let kernel = self.boot.kernel.to_owned();
                self.ctx.events.emit(&Event::Plan { kernel, release, tests: tests.len() });
                self.run.plan = Some(tests.into_iter().map(named).collect());
            }
            GuestEvent::Started { name } => {
                let name = named(name);
                self.ctx.events.emit(&Event::TestStarted { name: name.clone() });
                self.run.running = Some(name);
            }
            GuestEvent::Finished(mut test) => {
                test.name = named(test.name);
                self.run.running = None;
                self.run.finished.push(test.clone());
                let total = self.run.plan.as_ref().map_or(0, Vec::len) as u64;
                let (done, what) = (self.run.finished.len() as u64, test.name.clone());
                self.ctx.events.emit(&Event::TestFinished(test));
                self.ctx.events.emit(&Event::Progress { done, total, what });
            }
            GuestEvent::Done { tests } => self.run.done = tests == self.run.finished.len(),
        }
    }

    /// Why not to wait any longer, if so.
    fn time_out(&self) -> Option<End> {
        if let Some(since) = self.over {
            return (since.elapsed() > FAREWELL).then_some(End::Exited);
        }
        if !self.run.up {
            return (self.started.elapsed() > self.boot.limits.boot).then_some(End::BootTimeout);
        }
        (self.last_event.elapsed() > self.boot.limits.silence).then_some(End::Silent)
    }
}

/// A fresh folder that the guest will see.
///
/// # Errors
/// When it cannot be made.
pub fn fresh_run_folder(out: &Path, name: &str) -> Result<PathBuf> {
    let run = out.join(format!("run-{name}"));
    if run.exists() {
        fs::remove_dir_all(&run).with_context(|| format!("cannot empty {}", run.display()))?;
    }
    fs::create_dir_all(&run).with_context(|| format!("cannot make {}", run.display()))?;
    Ok(run)
}

/// Results for the tests that were planned and did not end: the one that was running failed by `why`.
pub fn unfinished(run: &GuestRun, why: &str) -> Vec<TestResult> {
    let ended = |name: &String| run.finished.iter().any(|test| &test.name == name);
    let planned = run.plan.iter().flatten().filter(|name| !ended(name));
    planned
        .map(|name| {
            let was_running = run.running.as_ref() == Some(name);
            let (status, detail) = if was_running {
                (Status::Fail, why.to_owned())
            } else {
                (Status::Error, format!("did not run: {why}"))
            };
            TestResult { name: name.clone(), status, ms: 0, detail }
        })
        .collect()
}
