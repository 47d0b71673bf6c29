// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lab time`: a CPU is held, the guest is stopped, clocks are set; and what is seen of it, an event for each scene.

mod callers;
mod hold;
mod scene;
mod step;
mod stop;
mod walk;
mod wall;
mod world;

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
#[cfg(test)]
use results::time::Lock;
use results::time::TimeEvent;
use results::write_event;

use crate::cpus;

/// What to run.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// File for the events, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// For how long a CPU is held
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    hold: u64,
    /// The command that collects
    #[arg(long, value_name = "FILE", default_value = "./cmpdel")]
    cmpdel: PathBuf,
    /// Only scenes whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Not the first of those scenes: they were tried before
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: usize,
    /// Fewer scenes
    #[arg(long)]
    quick: bool,
}

/// Runs what was asked for.
///
/// # Errors
/// When the events cannot be written or the machine is not fit.
pub fn run(options: &Options) -> Result<()> {
    libbpf_log::keep();
    let file = File::create(&options.events)
        .with_context(|| format!("cannot write {}", options.events.display()))?;
    let folder = options.events.parent().unwrap_or(Path::new("."));
    let folder = fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .context("cannot find the folder of the events")?;
    // A program is held by its name in the kernel's list of symbols.
    let _ = fs::write("/proc/sys/net/core/bpf_jit_kallsyms", "1");
    let scenes: Vec<Scene> = all().filter(|scene| options.wants(scene)).skip(options.skip).collect();
    let mut out = BufWriter::new(file);
    let mut send = |event: &TimeEvent| write_event(&mut out, event).context("cannot write the events");
    send(&TimeEvent::Plan {
        release: rustix::system::uname().release().to_string_lossy().into_owned(),
        cpus: cpus::count()?,
        scenes: scenes.iter().map(|scene| scene.name().to_owned()).collect(),
    })?;
    // A guest that goes on where another was lost goes on with its turns, too.
    for (turn, tried) in (options.skip..).zip(&scenes) {
        let scene = tried.name().to_owned();
        send(&TimeEvent::Began { scene: scene.clone() })?;
        let seen = cpus::keeping(|| options.attempt(tried, turn, &folder))?;
        send(&seen.unwrap_or_else(|error| TimeEvent::Failed { scene, error: format!("{error:#}") }))?;
    }
    send(&TimeEvent::Done { scenes: scenes.len() })
}

/// What is tried.
enum Scene {
    Hold(&'static scene::Scene),
    Stop(&'static stop::Scene),
    Step(&'static step::Scene),
}

fn all() -> impl Iterator<Item = Scene> {
    let holds = scene::SCENES.iter().map(Scene::Hold);
    holds.chain(stop::SCENES.iter().map(Scene::Stop)).chain(step::SCENES.iter().map(Scene::Step))
}

impl Scene {
    fn name(&self) -> &'static str {
        match self {
            Self::Hold(hold) => hold.name,
            Self::Stop(stop) => stop.name,
            Self::Step(step) => step.name,
        }
    }

    fn is_quick(&self) -> bool {
        match self {
            Self::Hold(hold) => hold.quick,
            Self::Stop(stop) => stop.quick,
            Self::Step(_) => true,
        }
    }
}

impl Options {
    fn wants(&self, scene: &Scene) -> bool {
        (scene.is_quick() || !self.quick)
            && self.filter.as_ref().is_none_or(|text| scene.name().contains(text.as_str()))
    }

    fn attempt(&self, scene: &Scene, turn: usize, folder: &Path) -> Result<TimeEvent> {
        let name = scene.name().to_owned();
        let lasts = Duration::from_millis(self.hold);
        Ok(match scene {
            Scene::Hold(scene) => {
                let hold = Box::new(hold::run(scene, turn, lasts, folder)?);
                TimeEvent::Held { scene: name, hold }
            }
            Scene::Stop(scene) => {
                let stopped = Box::new(stop::run(scene, STOP, folder)?);
                TimeEvent::Stopped { scene: name, stopped }
            }
            Scene::Step(scene) => {
                let stepped = Box::new(step::run(scene, &self.cmpdel)?);
                TimeEvent::Stepped { scene: name, stepped }
            }
        })
    }
}

/// For how long the guest stands still: longer than an entry lives.
const STOP: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_each_kind_has_its_control() {
        let names: HashSet<_> = all().map(|scene| scene.name()).collect();
        assert_eq!(names.len(), all().count());
        let locks = scene::SCENES.iter().filter(|scene| scene.careless).map(|scene| scene.lock);
        assert_eq!(locks.collect::<Vec<_>>(), [Lock::Bucket, Lock::Stripe, Lock::Element]);
        assert!(stop::SCENES.iter().any(|scene| scene.loses && scene.quick));
        assert!(step::SCENES.iter().any(|scene| scene.loses));
    }

    #[test]
    fn whoever_is_held_is_wanted_by_somebody() {
        for scene in scene::SCENES.iter().filter(|scene| !scene.careless && scene.lock != Lock::None) {
            assert!(!scene.wants.is_empty(), "{}", scene.name);
        }
    }
}
