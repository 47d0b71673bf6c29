// SPDX-License-Identifier: MIT OR Apache-2.0
//! Soaks: on this machine's own kernel, and in a guest.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use evidence::soak::{Besides, Heard};
use ground::{context::Ctx, exec::quoted};
use guest::{
    beside::Beside,
    channel::{EVENTS, keep_events},
    folder,
    kmsg::Log,
    machine::Limits,
    splat,
    waiting::{Waited, Waiting},
};
use results::soak::STOP;

use super::follow::{Follow, Followed};
use crate::{
    built::Built,
    steps::{Bench, Guest},
};

/// Between looks at kernel and host.
const LOOK: Duration = Duration::from_secs(1);

/// Threads come and go by the thousand, and an allocator with a heap for each of some of them grows by what is left over in it:
/// of such growth no leak could be told.
const ARENAS: (&str, &str) = ("MALLOC_ARENA_MAX", "1");

/// What is asked of the lab.
pub struct Soak<'a> {
    /// Passed on.
    pub ctx: &'a Ctx,
    /// For how long.
    pub seconds: u64,
    /// Only those whose name contains this.
    pub filter: Option<String>,
    /// When to stop waiting.
    pub limits: Limits,
    /// The file that keeps what the lab says.
    pub keep: &'a Path,
}

/// What was learnt.
pub struct Soaked {
    /// What the lab said.
    pub heard: Heard,
    /// What was seen besides.
    pub besides: Besides,
}

impl Soak<'_> {
    /// Half a minute at most between samples, and some 180 of them.
    fn every(&self) -> u64 {
        (self.seconds * 1000 / 180).clamp(500, 30_000)
    }

    fn words(&self, series: &str) -> Vec<String> {
        let (seconds, every) = (self.seconds.to_string(), self.every().to_string());
        let mut words: Vec<String> =
            ["soak", "--events", EVENTS, "--seconds", &seconds, "--every", &every, "--kernel-series", series]
                .map(str::to_owned)
                .into();
        if let Some(filter) = &self.filter {
            words.extend(["--filter".into(), filter.clone()]);
        }
        words
    }

    /// Runs the lab of `programs` here.
    ///
    /// # Errors
    /// When the run is interrupted or out of time, or the lab never came to its first sample.
    pub fn here(&self, programs: &Path) -> Result<Soaked> {
        const NAME: &str = "soak-here";
        let run = folder::fresh_run_folder(&self.ctx.out, NAME)?;
        let mut command = Command::new(programs.join("lab"));
        command
            .env(ARENAS.0, ARENAS.1)
            .args(self.words(""))
            .arg("--cmpdel")
            .arg(programs.join("cmpdel"))
            .current_dir(&run);
        self.ctx.phase("soak here", || {
            let (mut heard, mut besides) = (Heard::default(), Besides { shared: true, ..Besides::default() });
            let (mut log, mut looked) = (Log::open(), Instant::now());
            let look = || {
                if looked.elapsed() < LOOK {
                    return;
                }
                looked = Instant::now();
                besides.splats.extend(log.as_mut().map(Log::splats).unwrap_or_default());
                if !besides.splats.is_empty() {
                    end(&run);
                }
            };
            let (ctx, command, run, silence) = (self.ctx, &command, &run, self.limits.silence);
            let followed = Follow { ctx, command, run, name: NAME, silence }.to_the_end(&mut heard, look);
            keep_events(run, self.keep)?;
            let Followed { trouble, last } = followed?;
            if !heard.began() {
                let ended = trouble.as_deref().unwrap_or("ended as if all were well");
                let tail = last.join("\n    | ");
                bail!("the lab {ended} before its first sample; it said:\n    | {tail}");
            }
            besides.trouble = match trouble {
                Some(trouble) => format!("the lab {trouble}"),
                None if !heard.done() => "the lab ended without telling of everybody".into(),
                None => String::new(),
            };
            Ok((Soaked { heard, besides }, false))
        })
    }

    /// Boots `built` and runs the lab there. `series` is what the kernel carries, whatever else was changed in it.
    ///
    /// # Errors
    /// When the guest never came to its first sample.
    pub fn guest(&self, bench: &Bench<'_>, built: &Built, series: &str) -> Result<Soaked> {
        let name = console_name(built);
        let run = bench.run_folder(&name)?;
        let words: Vec<String> = self.words(series).iter().map(|word| quoted(word)).collect();
        let command = format!("{}={} ./lab {} --cmpdel ./cmpdel", ARENAS.0, ARENAS.1, words.join(" "));
        let (console, waited) = (bench.console(&name), Mutex::new(Waited::default()));
        let watch = |over: &AtomicBool| {
            let mut waiting = Waiting::of(&run);
            while !over.load(Ordering::Relaxed) {
                waiting.look();
                *waited.lock().unwrap_or_else(PoisonError::into_inner) = waiting.waited();
                let said = fs::read(&console).unwrap_or_default();
                if splat::scan(&String::from_utf8_lossy(&said)).is_ok_and(|splats| !splats.is_empty()) {
                    end(&run);
                }
                thread::sleep(LOOK);
            }
            Ok(())
        };
        let (mut heard, beside) =
            (Heard::default(), Beside { qemu: Vec::new(), task: Some(Box::new(watch)) });
        let (run, limits) = (&run, self.limits);
        let guest = Guest { name: &name, run, command: &command, limits, beside };
        let booted = bench.boot(built, guest, &mut heard);
        keep_events(run, self.keep)?;
        let (ended, said) = booted?;
        let course = heard.course(ended, limits.boot.as_secs(), limits.silence.as_secs());
        course.began(&said)?;
        let mut trouble = course.cut_short();
        let splats = splat::scan(&said);
        if trouble.is_empty() && ended.status != Some(0) {
            trouble = format!("the lab ended with {}", ended.status.unwrap_or(-1));
        }
        let splats = match splats {
            Ok(splats) => splats,
            Err(why) => {
                ensure!(!trouble.is_empty(), why);
                Vec::new()
            }
        };
        let waited = Some(*waited.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Soaked { heard, besides: Besides { trouble, splats, waited, shared: false } })
    }
}

/// Has the lab end, since there is nothing more to learn. Where that cannot be said it goes on to its time.
fn end(run: &Path) {
    let _ = fs::write(run.join(STOP), b"");
}

/// Names the console log and the phase of the guest.
pub fn console_name(built: &Built) -> String {
    format!("soak-{}", built.series)
}
