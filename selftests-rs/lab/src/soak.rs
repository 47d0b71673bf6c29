// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lab soak`: everything at once, for as long as is asked for, with a look at memory every so often. Cells of the matrix that
//! lose nothing, real connections, collectors that are killed, batches and single calls on maps that are full, and calls of
//! `cmpdel`, each on maps of its own.

mod beat;
mod board;
mod candidates;
mod cells;
mod churn;
pub mod collect;
mod command;
mod memory;
mod room;
mod sample;
mod worker;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, Scope};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use approaches::{MapKind, cells::carries};
use clap::Args;
use results::soak::{STOP, SoakEvent, Worked};
use results::write_event;

use crate::guest::{cpus, version};
use crate::load::Denied;
use beat::Beats;
use board::Page;
use candidates::candidates;
use sample::Sampler;
use worker::Worker;

/// What to run, and for how long.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// File for the events, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// For how long
    #[arg(long, value_name = "N")]
    seconds: u64,
    /// Between samples
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(100..))]
    every: u64,
    /// Series that this kernel carries, joined by `+`
    #[arg(long, value_name = "NAME", default_value = "")]
    kernel_series: String,
    /// The `cmpdel` command to call
    #[arg(long, value_name = "FILE")]
    cmpdel: Option<PathBuf>,
    /// Only those whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// How user space compares on this kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compares {
    /// Not at all.
    No,
    /// One entry at a time.
    Single,
    /// Many in one call, too.
    Batches,
}

impl Options {
    /// What the series on this kernel says of a type of map.
    fn compares(&self, map: MapKind) -> Compares {
        if carries(&self.kernel_series, "v3") && map != MapKind::Rhash {
            Compares::Batches
        } else if carries(&self.kernel_series, "rfc")
            && matches!(map, MapKind::Hash | MapKind::HashNoPrealloc)
        {
            Compares::Single
        } else {
            Compares::No
        }
    }
}

/// A worker that is ready, its page, and its name.
struct Ready {
    name: String,
    worker: Box<dyn Worker>,
    page: Arc<Page>,
}

/// Runs it.
///
/// # Errors
/// When the events cannot be written, the machine is not fit, or somebody cannot be made ready who should work here.
pub fn run(options: &Options) -> Result<()> {
    libbpf_log::keep();
    let cpus = cpus()?;
    let file = File::create(&options.events)
        .with_context(|| format!("cannot write {}", options.events.display()))?;
    let mut events = BufWriter::new(file);
    let mut send = |event: &SoakEvent| write_event(&mut events, event).context("cannot write the events");
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let (mut ready, mut absent) = (Vec::new(), BTreeMap::new());
    for candidate in candidates(options, version(&release), cpus) {
        let name = candidate.name;
        if options.filter.as_ref().is_some_and(|text| !name.contains(text.as_str())) {
            continue;
        }
        if let Some(why) = candidate.why_not {
            absent.insert(name, why);
            continue;
        }
        send(&SoakEvent::Readied { worker: name.clone() })?;
        let worker = (candidate.open)().map_err(Denied::error);
        let worker = worker.with_context(|| format!("cannot make ready: {name}"))?;
        let page = Arc::new(Page::of(&name));
        ready.push(Ready { name, worker, page });
    }
    ensure!(!ready.is_empty(), "nobody works here: is --filter right?");
    let sampler =
        Sampler::of(ready.iter().map(|ready| (ready.name.as_str(), ready.worker.as_ref(), &ready.page)));
    send(&SoakEvent::Plan {
        release,
        cpus,
        seconds: options.seconds,
        every_ms: options.every,
        workers: ready.iter().map(|ready| ready.name.clone()).collect(),
        absent,
        gauges: sampler.gauges(),
    })?;
    let folder = options.events.parent().unwrap_or(Path::new("."));
    let (samples, stopped, worked) = thread::scope(|scope| {
        together(scope, options, cpus, ready, &sampler, &folder.join(STOP), &mut send)
    })?;
    for worked in worked {
        send(&SoakEvent::Ended(worked))?;
    }
    send(&SoakEvent::Done { samples, stopped })
}

/// How many samples there were, whether it was stopped, and what everybody has come to.
type Came = (u64, bool, Vec<Worked>);

fn together<'scope>(
    scope: &'scope Scope<'scope, '_>,
    options: &Options,
    cpus: usize,
    ready: Vec<Ready>,
    sampler: &Sampler,
    stop_file: &Path,
    send: &mut dyn FnMut(&SoakEvent) -> Result<()>,
) -> Result<Came> {
    let (stop, beats) = (Arc::new(AtomicBool::new(false)), Arc::new(Beats::new()));
    for cpu in 0..cpus {
        let (stop, beats) = (Arc::clone(&stop), Arc::clone(&beats));
        scope.spawn(move || beats.beat(cpu, &stop));
    }
    let mut working = Vec::new();
    for Ready { mut worker, page, .. } in ready {
        let stop = Arc::clone(&stop);
        working.push(scope.spawn(move || {
            while !stop.load(Relaxed) {
                if let Err(error) = worker.turn(&page) {
                    return (worker, page.end(Some(format!("{error:#}"))));
                }
            }
            (worker, page.end(None))
        }));
    }
    let (mut samples, every) = (0, Duration::from_millis(options.every));
    let end = Duration::from_secs(options.seconds);
    let ended = loop {
        thread::sleep(every);
        let sample = sampler.sample(&beats);
        samples += 1;
        let over = Duration::from_millis(sample.at_ms) >= end;
        if let Err(error) = send(&SoakEvent::Sampled(sample)) {
            break Err(error);
        }
        // Nobody is left, or somebody has seen enough.
        let stopped = stop_file.exists() || working.iter().all(|worker| worker.is_finished());
        if over || stopped {
            break Ok(stopped && !over);
        }
    };
    stop.store(true, Relaxed);
    let worked = working.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a worker panicked")));
    // What a worker holds is let go of when all have ended.
    let worked = worked.collect::<Result<Vec<_>>>()?;
    Ok((samples, ended?, worked.into_iter().map(|(_, worked)| worked).collect()))
}
