// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every step needs: the shell, the folders, the event stream, the time limit, and the list of phases.

use std::{
    cell::RefCell,
    env, fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};
use serde::Serialize;
use xshell::Shell;

use crate::{
    cache::Cache,
    events::{Event, Events},
    run::Run,
};

/// A phase as the report has it.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// What was done.
    pub name: String,
    /// Wall time.
    pub seconds: f64,
    /// Time of CPUs, of this process and of those that it waited for: user and system.
    pub cpu_seconds: f64,
    /// Nothing had to be done.
    pub cached: bool,
}

/// What all of this is run for, as far as the ground has to know it.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its repository.
    pub root: PathBuf,
    /// The name of its folder among all caches.
    pub cache: &'static str,
    /// The name of the folder in cargo's target folder that reports and logs go to.
    pub out: &'static str,
}

/// What names cargo's target folder, relative to where one is, the one that cargo reads first before the other.
pub const TARGET_DIRS: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// Passed to every step.
pub struct Ctx {
    /// For short commands.
    pub sh: Shell,
    /// The repository.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// The folder in it with report and logs.
    pub out: PathBuf,
    /// What is kept between runs.
    pub cache: Cache,
    /// Told of everything.
    pub events: Events,
    /// What ended, in order.
    pub phases: RefCell<Vec<Phase>>,
    names: (&'static str, &'static str),
    started: Instant,
    limit: Duration,
    interrupted: Arc<AtomicBool>,
}

impl Ctx {
    /// Finds the folders and starts the clock.
    ///
    /// # Errors
    /// When a folder cannot be found or made.
    pub fn new(project: Project, events: Events, limit: Duration) -> Result<Self> {
        let Project { root, cache, out } = project;
        let names = (cache, out);
        let named = TARGET_DIRS.into_iter().find_map(env::var_os);
        let target = named.map_or_else(|| root.join("target"), PathBuf::from);
        let target = std::path::absolute(target)?;
        let out = target.join(out);
        fs::create_dir_all(out.join("logs")).with_context(|| {
            format!("cannot make {}: set CARGO_TARGET_DIR to a folder that can be written to", out.display())
        })?;
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP]
        {
            // A second signal ends the program the ordinary way.
            signal_hook::flag::register_conditional_shutdown(signal, 69, Arc::clone(&interrupted))?;
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        let sh = Shell::new()?;
        sh.change_dir(&root);
        Ok(Self {
            sh,
            root,
            target,
            out,
            cache: Cache::open(cache)?,
            events,
            phases: RefCell::new(Vec::new()),
            names,
            started: Instant::now(),
            limit,
            interrupted,
        })
    }

    /// The same, told to `events`, with phases of its own and what is left of the time.
    ///
    /// # Errors
    /// As [`Ctx::new`].
    pub fn again(&self, events: Events) -> Result<Self> {
        let left = self.limit.saturating_sub(self.started.elapsed());
        let (cache, out) = self.names;
        Self::new(Project { root: self.root.clone(), cache, out }, events, left)
    }

    /// Errs once the run was interrupted or its time is over.
    ///
    /// # Errors
    /// Which of the two.
    pub fn still_wanted(&self) -> Result<()> {
        if self.interrupted.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        if self.started.elapsed() >= self.limit {
            bail!("the time limit of {} s is over (--timeout)", self.limit.as_secs());
        }
        Ok(())
    }

    /// Runs a step, timed and told of. The step says whether it found everything done.
    ///
    /// # Errors
    /// Those of the step.
    pub fn phase<T>(&self, name: &str, step: impl FnOnce() -> Result<(T, bool)>) -> Result<T> {
        self.still_wanted()?;
        self.events.emit(&Event::PhaseStarted { name: name.into() });
        let (start, cpu) = (Instant::now(), cpu_time()?);
        let (value, cached) = step()?;
        let seconds = rounded(start.elapsed());
        let cpu_seconds = rounded(cpu_time()?.saturating_sub(cpu));
        self.phases.borrow_mut().push(Phase { name: name.into(), seconds, cpu_seconds, cached });
        self.events.emit(&Event::PhaseDone { name: name.into(), seconds, cpu_seconds, cached });
        Ok(value)
    }
}

impl Run for Ctx {
    fn starts(&self, line: &str) {
        self.events.emit(&Event::Command { line: line.into() });
    }

    fn says(&self, line: &str) {
        self.events.emit(&Event::Output { line: line.into() });
    }

    fn waits(&self, text: &str) {
        self.events.emit(&Event::Waiting { text: text.into() });
    }

    fn log(&self, name: &str) -> PathBuf {
        self.out.join("logs").join(format!("{name}.log"))
    }

    fn locks(&self) -> Result<PathBuf> {
        self.cache.dir("locks")
    }

    fn still_wanted(&self) -> Result<()> {
        Self::still_wanted(self)
    }
}

/// In seconds, to the millisecond.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

/// What this process and all that it waited for have used of CPUs so far.
fn cpu_time() -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let used = getrusage(who).context("cannot ask for the CPU time used")?;
        for time in [used.user_time(), used.system_time()] {
            sum += Duration::from_micros(time.num_microseconds().try_into().unwrap_or_default());
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_time_of_a_child_counts_once_it_has_ended() {
        let before = cpu_time().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"])
            .spawn()
            .unwrap();
        assert!(child.wait().unwrap().success());
        let used = cpu_time().unwrap().saturating_sub(before);
        assert!(used >= Duration::from_millis(10), "{used:?}");
    }
}
