// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lab races`: all that is tried in a kernel, cell by cell, with an event for each outcome.

mod plan;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use approaches::MapKind;
use approaches::cells::{self, Place};
use clap::Args;
use results::races::{Cell, Model, RaceEvent};
use results::{read_events, write_event};

use crate::datapath::{Datapath, Settings, object_for};
use crate::load::Denied;
use crate::witness::{QUICK_REPLAYS, REPLAYS, Stage};
use crate::{arena, connections, stress};

/// What to run.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// File for the events, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// What the model found: its counter-examples are replayed, and its cells without one tried for longer. Without it nothing
    /// is replayed, and every cell is tried for as long
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Series that this kernel carries: strategies that need another one are left to that one's kernel
    #[arg(long, value_name = "NAME")]
    kernel_series: String,
    /// Only strategies that need this very series
    #[arg(long)]
    own: bool,
    /// Only cells whose "REFRESH × GC on MAP" contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Fewer replays, shorter runs, one type of map
    #[arg(long)]
    quick: bool,
}

impl Options {
    fn wants(&self, place: &Place) -> bool {
        let own = place.gc.series.map(|series| series == self.kernel_series);
        let here = own.unwrap_or(!self.own);
        here && self.filter.as_ref().is_none_or(|text| place.cell().to_string().contains(text.as_str()))
    }
}

/// Runs what was asked for.
///
/// # Errors
/// When the events cannot be written or the machine is not fit.
pub fn run(options: &Options) -> Result<()> {
    libbpf_log::keep();
    let cpus = std::thread::available_parallelism().context("cannot count the CPUs")?.get();
    let places: Vec<_> = cells::all().filter(|place| options.wants(place)).collect();
    let connected = plan::connections(options.quick).filter(|run| options.wants(&run.place));
    let connected: Vec<_> = connected.collect();
    let file = File::create(&options.events)
        .with_context(|| format!("cannot write {}", options.events.display()))?;
    let models = options.model.as_deref().map(models).transpose()?;
    let folder = options.events.parent().unwrap_or(Path::new("."));
    let folder = fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .context("cannot find the folder of the events")?;
    let mut lab = Lab { options, cpus, models, folder, events: BufWriter::new(file), steps: 0 };
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let steps = places.iter().map(|place| lab.trials(place).map_or(1, <[Trial]>::len));
    let planned = steps.sum::<usize>() as u64;
    lab.send(&RaceEvent::Plan { release, cpus, steps: planned + connected.len() as u64 })?;
    let mut bench = None;
    for place in &places {
        lab.place(place, &mut bench)?;
    }
    drop(bench);
    for run in &connected {
        lab.connect(run)?;
    }
    let steps = lab.steps;
    lab.send(&RaceEvent::Done { steps })
}

/// A datapath, free and gated, that serves all strategies of a discipline on one type of map.
struct Bench {
    object: String,
    pinned: bool,
    map: MapKind,
    free: Result<Datapath, Denied>,
    gated: Stage,
}

struct Lab<'a> {
    options: &'a Options,
    cpus: usize,
    /// The model's findings, if there are some.
    models: Option<HashMap<Cell, Model>>,
    folder: PathBuf,
    events: BufWriter<File>,
    steps: u64,
}

/// What is tried of a cell. Each ends with one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    Stress,
    Witness,
}

impl Lab<'_> {
    fn send(&mut self, event: &RaceEvent) -> Result<()> {
        write_event(&mut self.events, event).context("cannot write the events")
    }

    fn ended(&mut self, event: &RaceEvent) -> Result<()> {
        self.steps += 1;
        self.send(event)
    }

    /// What is tried, or why nothing is.
    fn trials(&self, place: &Place) -> Result<&'static [Trial], &'static str> {
        if let Some(reason) = place.model_alone() {
            return Err(reason);
        }
        if self.options.quick && !plan::QUICK_MAPS.contains(&place.map) {
            return Err("left out of the quick form: run `cargo xtask races` for it");
        }
        let found = self.model(&place.cell()).is_some_and(|model| !model.counterexamples.is_empty());
        Ok(if found { &[Trial::Stress, Trial::Witness] } else { &[Trial::Stress] })
    }

    fn place(&mut self, place: &Place, bench: &mut Option<Bench>) -> Result<()> {
        let cell = place.cell();
        let trials = match self.trials(place) {
            Ok(trials) => trials,
            Err(reason) => {
                let reason = format!("{reason} (series {})", self.options.kernel_series);
                return self.ended(&RaceEvent::Absent { cell, reason });
            }
        };
        for &trial in trials {
            self.send(&RaceEvent::Began { what: format!("{cell}, {}", trial.name()) })?;
            let ended = self.attempt(trial, place, bench);
            self.tell(&cell, trial.name(), ended)?;
        }
        Ok(())
    }

    fn attempt(&self, trial: Trial, place: &Place, bench: &mut Option<Bench>) -> Result<RaceEvent, Denied> {
        let cell = place.cell();
        let plan = self.plan(&cell);
        if place.map == MapKind::Arena {
            let stress = arena::stress(self.cpus, plan)?;
            return Ok(RaceEvent::Stressed { cell, stress });
        }
        let (object, pinned) = (object_for(place.refresh, place.gc), is_pinned(place));
        let serves =
            |bench: &&mut Bench| (&bench.object, bench.pinned, bench.map) == (&object, pinned, place.map);
        let bench = match bench.as_mut().filter(serves) {
            Some(_) => bench.as_mut(),
            None => Some(bench.insert(self.bench(place))),
        };
        let bench = bench.context("a bench that was just set up is gone")?;
        let free = bench.free.as_ref().map_err(Denied::again)?;
        match trial {
            Trial::Stress => {
                stress::clear(free)?;
                let stress = stress::run(free, &place.gc, place.gc.grace, self.cpus, plan)?;
                Ok(RaceEvent::Stressed { cell, stress })
            }
            Trial::Witness => {
                let model = self.model(&cell).context("there is no counter-example to replay")?;
                let times = if self.options.quick { QUICK_REPLAYS } else { REPLAYS };
                let witness = bench.gated.witness(place.gc, model, times)?;
                Ok(RaceEvent::Witnessed { cell, witness })
            }
        }
    }

    fn bench(&self, place: &Place) -> Bench {
        let settings = Settings::new(place.map, stress::entries(place.map, self.cpus)).with(place.gc.runs);
        let object = object_for(place.refresh, place.gc);
        Bench {
            free: Datapath::load(&object, settings),
            object,
            pinned: settings.pinned,
            map: place.map,
            gated: Stage::new(place.refresh, place.gc, place.map, self.folder.clone()),
        }
    }

    /// What the model found in a cell.
    fn model(&self, cell: &Cell) -> Option<&Model> {
        self.models.as_ref()?.get(cell)
    }

    /// A cell in which the model finds nothing has the burden of proof; in the others the witness has it.
    fn plan(&self, cell: &Cell) -> stress::Plan {
        let safe =
            self.models.is_none() || self.model(cell).is_some_and(|model| model.counterexamples.is_empty());
        match (self.options.quick, safe) {
            (false, true) => stress::Plan::FULL,
            (false, false) => stress::Plan::SHOW,
            (true, true) => stress::Plan::QUICK,
            (true, false) => stress::Plan::GLANCE,
        }
    }

    fn connect(&mut self, run: &plan::Run) -> Result<()> {
        let cell = run.place.cell();
        self.send(&RaceEvent::Began { what: format!("{cell}, real connections") })?;
        let ended = connections::run(run.place.refresh, run.place.gc, run.place.map, run.seconds, run.snat);
        let ended = ended.map(|connections| RaceEvent::Connected { cell: cell.clone(), connections });
        self.tell(&cell, "connections", ended)
    }

    /// Says how a step ended.
    fn tell(&mut self, cell: &Cell, evidence: &str, ended: Result<RaceEvent, Denied>) -> Result<()> {
        let cell = cell.clone();
        let event = ended.unwrap_or_else(|denied| match denied {
            Denied::Refused(refusal) => RaceEvent::Refused { cell, refusal },
            Denied::Broken(error) => {
                RaceEvent::Failed { cell, evidence: evidence.into(), error: format!("{error:#}") }
            }
        });
        self.ended(&event)
    }
}

impl Trial {
    fn name(self) -> &'static str {
        match self {
            Self::Stress => "stress",
            Self::Witness => "witness",
        }
    }
}

fn is_pinned(place: &Place) -> bool {
    Settings::new(place.map, 0).with(place.gc.runs).pinned
}

/// The model's findings, by cell.
fn models(path: &Path) -> Result<HashMap<Cell, Model>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read what the model found ({}): see --model", path.display()))?;
    let events = read_events::<RaceEvent>(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    let found = events.into_iter().filter_map(|event| match event {
        RaceEvent::Modelled { cell, model } => Some((cell, model)),
        _ => None,
    });
    Ok(found.collect())
}
