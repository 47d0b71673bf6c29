// SPDX-License-Identifier: MIT OR Apache-2.0
//! Follows a program that runs on this machine as if it were in a guest: by the events that it writes.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ground::{
    context::Ctx,
    events::Event,
    exec::{Guarded, last_lines, line_of},
};
use guest::{channel::Channel, listener::Listener};

/// Between looks at what it says.
const TICK: Duration = Duration::from_millis(50);

/// What is followed, and how.
#[derive(Clone, Copy)]
pub struct Follow<'a> {
    /// Passed on.
    pub ctx: &'a Ctx,
    /// The program, which runs in its folder.
    pub command: &'a Command,
    /// The folder, with its events.
    pub run: &'a Path,
    /// Names the log.
    pub name: &'a str,
    /// How long it may say nothing.
    pub silence: Duration,
}

/// How it ended.
pub struct Followed {
    /// Why that was not well.
    pub trouble: Option<String>,
    /// The last lines that it printed.
    pub last: Vec<String>,
}

impl Follow<'_> {
    /// Runs it to its end, or until it has been silent for too long. `meanwhile` is called many times a second.
    ///
    /// # Errors
    /// When the run is interrupted or out of time, or its events cannot be read.
    pub fn to_the_end<L: Listener>(self, listener: &mut L, mut meanwhile: impl FnMut()) -> Result<Followed> {
        let Self { ctx, command, run, name, silence } = self;
        let line = line_of(command);
        ctx.events.emit(&Event::Command { line: line.clone() });
        let log = ctx.out.join("logs").join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        // Dropped on every way out, with whatever the program has started.
        let mut guarded = Guarded::spawn(command, file.try_clone()?.into(), file.into())?;
        let mut channel = Channel::new(run);
        let mut last_event = Instant::now();
        let trouble = loop {
            let exited = guarded.child().try_wait()?;
            for event in channel.events()? {
                last_event = Instant::now();
                listener.take_in(&ctx.events, event);
            }
            meanwhile();
            if let Some(status) = exited {
                break (!status.success()).then(|| format!("ended with {status}"));
            }
            if let Err(e) = ctx.still_wanted() {
                return Err(e.context(match listener.running() {
                    Some(what) => format!("`{line}` was stopped in {what}"),
                    None => format!("`{line}` was stopped"),
                }));
            }
            if last_event.elapsed() > silence {
                let silence = silence.as_secs();
                break Some(format!("said nothing for {silence} s (--test-timeout), and was ended"));
            }
            thread::sleep(TICK);
        };
        drop(guarded);
        let last = last_lines(&fs::read_to_string(&log).unwrap_or_default());
        Ok(Followed { trouble, last })
    }
}
