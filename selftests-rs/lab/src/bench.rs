// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lab bench`: what each approach costs in this kernel. Every figure is of a call that was seen to do what it says.

mod clock;
mod contention;
mod datapath;
mod job;
mod operations;
mod profile;
mod programs;
mod samples;
mod stage;
mod track;
mod trial;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, anyhow};
use clap::Args;
use cmpdel_uapi_raw::Errno;
use results::bench::{BenchEvent, Group, Measure, Unit};
use results::write_event;

use crate::cpus;
use crate::load::Denied;
use clock::Clock;
use job::Extent;

/// What to measure.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// File for the events, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// Only what contains this: "compare hit", "on lru-hash", "gc compare"
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// The operations, and a small job
    #[arg(long)]
    quick: bool,
    /// On the kernel that is there: only what needs no patch, in nanoseconds
    #[arg(long)]
    native: bool,
    /// Series that this kernel carries, joined by `+`
    #[arg(long, value_name = "NAME", default_value = "")]
    kernel_series: String,
    /// Single operations, and the gc strategies that only this series has
    #[arg(long)]
    own: bool,
    /// Single operations alone
    #[arg(long, conflicts_with = "own")]
    operations: bool,
    /// Then have the host step through single calls
    #[arg(long)]
    profile: bool,
    /// The clock counts instructions, or this is an error
    #[arg(long, conflicts_with = "native")]
    icount: bool,
}

/// Why there is no figure.
pub enum Not {
    /// The kernel, or the map, does not have it.
    Here(String),
    /// An operation did not do what it says.
    Broken(String),
    /// Anything else: it could not run.
    Failed(Error),
}

impl From<Error> for Not {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Errno> for Not {
    fn from(errno: Errno) -> Self {
        Self::Failed(errno.into())
    }
}

impl From<Denied> for Not {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Refused(refusal) => Self::Here(format!("{}: {}", refusal.errno, refusal.text)),
            Denied::Broken(error) => Self::Failed(error),
        }
    }
}

impl Not {
    /// As an error, whatever it is.
    pub fn error(self) -> Error {
        match self {
            Self::Here(text) | Self::Broken(text) => anyhow!(text),
            Self::Failed(error) => error,
        }
    }
}

/// Takes a figure.
pub type Run<'a> = Box<dyn FnOnce(&Clock) -> Result<Measure, Not> + 'a>;

/// One figure to come.
pub struct Step<'a> {
    /// The table that it belongs to.
    pub group: Group,
    /// What, for people and for `--filter`.
    pub what: String,
    /// Instructions that it will take, roughly.
    pub weight: u64,
    /// Measures it.
    pub run: Run<'a>,
}

/// Measures what was asked for.
///
/// # Errors
/// When the events cannot be written or the clock is not what it should be.
pub fn run(options: &Options) -> Result<()> {
    libbpf_log::keep();
    let file = File::create(&options.events)
        .with_context(|| format!("cannot write {}", options.events.display()))?;
    let mut events = BufWriter::new(file);
    let clock = Clock::found(options.icount)?;
    let (packets, shelf) = (datapath::Shelf::default(), job::Shelf::default());
    let mut steps = operations::steps(options.native);
    let whose = job::Whose { series: &options.kernel_series, own: options.own };
    if !options.operations {
        if !options.quick && !options.own {
            steps.extend(datapath::steps(&packets, whose));
        }
        let extent = match (options.native, options.quick) {
            (true, _) => Extent::Native,
            (false, true) => Extent::Quick,
            (false, false) => Extent::Whole,
        };
        steps.extend(job::steps(&shelf, extent, whose));
    }
    // Where instructions are counted there is one CPU.
    if clock.unit == Unit::Ns && !options.quick && !options.operations {
        steps.extend(contention::steps(whose));
    }
    steps.retain(|step| options.filter.as_ref().is_none_or(|text| step.what.contains(text.as_str())));
    let planned = BenchEvent::Plan {
        release: rustix::system::uname().release().to_string_lossy().into_owned(),
        cpus: cpus::count()?,
        unit: clock.unit,
        steps: steps.len() as u64,
        weight: steps.iter().map(|step| step.weight).sum(),
    };
    let mut send = |event: &BenchEvent| write_event(&mut events, event).context("cannot write an event");
    send(&planned)?;
    let mut ended = 0;
    for step in steps {
        let Step { group, what, weight, run } = step;
        send(&BenchEvent::Began { what: what.clone(), weight })?;
        let ended_with = match (run(&clock), options.native) {
            // On a machine that is somebody else's, what cannot run is left out.
            (Err(Not::Failed(error)), true) => Err(Not::Here(format!("{error:#}"))),
            (other, _) => other,
        };
        send(&match ended_with {
            Ok(measure) => BenchEvent::Measured(Box::new(measure)),
            Err(Not::Here(reason)) => BenchEvent::Skipped { group, what, reason },
            Err(Not::Broken(error)) => BenchEvent::Failed { what, error, broken: true },
            Err(Not::Failed(error)) => {
                BenchEvent::Failed { what, error: format!("{error:#}"), broken: false }
            }
        })?;
        ended += 1;
    }
    send(&BenchEvent::Done { steps: ended })?;
    if options.profile {
        let folder = options.events.parent().unwrap_or(Path::new("."));
        profile::run(folder)?;
    }
    Ok(())
}
