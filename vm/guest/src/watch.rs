// SPDX-License-Identifier: MIT OR Apache-2.0
//! Watches a guest until it is over, one way or another. Who understands its events is a
//! [`Listener`].

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::mpsc::Receiver,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ground::{
    context::Ctx,
    events::Event,
    exec::{self, Guarded},
};

use crate::{
    channel::Channel,
    listener::Listener,
    machine::{End, Ended, Limits},
    splat,
};

/// Between looks at the guest.
const TICK: Duration = Duration::from_millis(50);
/// For the console to end after the guest.
const LAST_GASP: Duration = Duration::from_secs(2);
/// For QEMU to end by itself after a panic or a power-off.
const FAREWELL: Duration = Duration::from_secs(20);

/// What QEMU says when KVM cannot go on: it then waits for somebody to look at the guest.
const GAVE_UP: &str = "KVM internal error";

/// What is watched of a guest.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    /// The folder of its channel.
    pub run: &'a Path,
    /// Where the console log goes.
    pub console: &'a Path,
    /// When to stop waiting.
    pub limits: Limits,
}

/// Watches `guest` to its end.
///
/// # Errors
/// When the console or the channel cannot be kept or read, or the run is interrupted or out of time.
pub fn watch<L: Listener>(
    ctx: &Ctx,
    watched: Watched<'_>,
    mut guest: Guarded,
    listener: &mut L,
) -> Result<Ended> {
    let console = Console::of(&mut guest, watched.console)?;
    let ended = Ended { end: End::Exited, up: false, status: None, boot_seconds: 0.0 };
    let (now, channel) = (Instant::now(), Channel::new(watched.run));
    let limits = watched.limits;
    let watch =
        Watch { ctx, limits, console, channel, listener, ended, started: now, last_event: now, over: None };
    watch.finish(&mut guest)
}

/// The console: kernel messages on one pipe, programs on another, both kept in one file.
struct Console {
    pipes: Vec<Receiver<String>>,
    file: File,
    panicked: bool,
    gave_up: bool,
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
        Ok(Self { pipes, file, panicked: false, gave_up: false })
    }

    /// Keeps what came since the last call.
    fn pump(&mut self, ctx: &Ctx) -> Result<()> {
        let lines: Vec<String> = self.pipes.iter().flat_map(Receiver::try_iter).collect();
        lines.into_iter().try_for_each(|line| self.keep(ctx, line))
    }

    /// Keeps what is still in the pipes once the guest has ended: until they are closed, since on a busy machine their
    /// readers may lag behind, or for [`LAST_GASP`], since something that outlived the guest may hold them open.
    fn drain(&mut self, ctx: &Ctx) -> Result<()> {
        let until = Instant::now() + LAST_GASP;
        for pipe in std::mem::take(&mut self.pipes) {
            while let Ok(line) = pipe.recv_timeout(until.saturating_duration_since(Instant::now())) {
                self.keep(ctx, line)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, ctx: &Ctx, line: String) -> Result<()> {
        writeln!(self.file, "{line}").context("cannot keep the console log")?;
        self.panicked |= splat::is_panic(&line);
        self.gave_up |= line.starts_with(GAVE_UP);
        ctx.events.emit(&Event::Output { line });
        Ok(())
    }
}

struct Watch<'a, L: Listener> {
    ctx: &'a Ctx,
    limits: Limits,
    console: Console,
    channel: Channel<L::Event>,
    listener: &'a mut L,
    ended: Ended,
    started: Instant,
    last_event: Instant,
    over: Option<Instant>,
}

impl<L: Listener> Watch<'_, L> {
    fn finish(mut self, guest: &mut Guarded) -> Result<Ended> {
        loop {
            let exited = guest.child().try_wait()?.is_some();
            self.look()?;
            if exited {
                break;
            }
            if let Some(end) = self.time_out() {
                self.ended.end = end;
                guest.kill();
                break;
            }
            if let Err(e) = self.ctx.still_wanted() {
                guest.kill();
                return Err(e.context(match self.listener.running() {
                    Some(what) => format!("stopped the guest in {what}"),
                    None => "stopped the guest".into(),
                }));
            }
            thread::sleep(TICK);
        }
        self.console.drain(self.ctx)?;
        self.look()?;
        self.ended.status = self.channel.status();
        if self.console.panicked {
            self.ended.end = End::Panicked;
        }
        Ok(self.ended)
    }

    /// Takes in what the guest said since the last look.
    fn look(&mut self) -> Result<()> {
        self.console.pump(self.ctx)?;
        if !self.ended.up && self.channel.is_up() {
            self.ended.up = true;
            self.ended.boot_seconds = self.started.elapsed().as_secs_f64();
            self.last_event = Instant::now();
        }
        for event in self.channel.events()? {
            self.last_event = Instant::now();
            self.listener.take_in(&self.ctx.events, event);
        }
        if self.over.is_none() && (self.console.panicked || self.channel.status().is_some()) {
            self.over = Some(Instant::now());
        }
        Ok(())
    }

    /// Why not to wait any longer, if so.
    fn time_out(&self) -> Option<End> {
        if self.console.gave_up {
            return Some(End::GaveUp);
        }
        if let Some(since) = self.over {
            return (since.elapsed() > FAREWELL).then_some(End::Exited);
        }
        if !self.ended.up {
            return (self.started.elapsed() > self.limits.boot).then_some(End::BootTimeout);
        }
        (self.last_event.elapsed() > self.limits.silence).then_some(End::Silent)
    }
}
