// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lab races`: all that is tried in a kernel, cell by cell, with an event for each outcome.

mod plan;
mod release;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use approaches::{Column, Form, MapKind, Place, Protocol, Runs, cells};
use clap::Args;
use results::races::{Cell, Circumstance, Model, RaceEvent, Violation, Witness};
use results::{read_events, write_event};

use crate::datapath::{Datapath, Settings, object_for};
use crate::load::Denied;
use crate::witness::Stage;
use crate::{arena, connections, stress};
use plan::Extent;

pub use plan::cpus;
pub use release::version;

/// What to run.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// File for the events, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// What the model found, as events: its counter-examples are replayed, and its cells without one tried for longer. Without
    /// it nothing is replayed, and every cell is tried for as long
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Series that this kernel carries, joined by `+`: what needs another one is left to a kernel with that one
    #[arg(long, value_name = "NAME", default_value = "")]
    kernel_series: String,
    /// Only what needs one of these very series
    #[arg(long)]
    own: bool,
    /// Only what needs no patch, on the kernel that is there, in a minute or two
    #[arg(long, conflicts_with_all = ["own", "quick"])]
    here: bool,
    /// With --here: each cell in which the model finds nothing is tried a hundred million times
    #[arg(long, requires = "here")]
    long: bool,
    /// Only cells whose "REFRESH × GC on MAP" contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Fewer replays, shorter runs, fewer types of map
    #[arg(long)]
    quick: bool,
}

impl Options {
    fn wants(&self, place: &Place) -> bool {
        let own = place.series().map(|series| cells::carries(&self.kernel_series, series));
        let kernel = if self.here { !place.patched() } else { own.unwrap_or(!self.own) };
        kernel && self.filter.as_ref().is_none_or(|text| place.cell().to_string().contains(text.as_str()))
    }

    fn extent(&self) -> Extent {
        match (self.here, self.long, self.quick) {
            (true, true, _) => Extent::Long,
            (true, false, _) => Extent::Here,
            (false, _, true) => Extent::Quick,
            (false, _, false) => Extent::Full,
        }
    }
}

/// Runs what was asked for.
///
/// # Errors
/// When the events cannot be written or the machine is not fit.
pub fn run(options: &Options) -> Result<()> {
    libbpf_log::keep();
    let cpus = cpus()?;
    let mut places: Vec<_> = approaches::all().filter(|place| options.wants(place)).collect();
    let extent = options.extent();
    let file = File::create(&options.events)
        .with_context(|| format!("cannot write {}", options.events.display()))?;
    let models = options.model.as_deref().map(models).transpose()?;
    let folder = options.events.parent().unwrap_or(Path::new("."));
    let folder = fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .context("cannot find the folder of the events")?;
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let kernel = version(&release);
    let events = BufWriter::new(file);
    let connected: Vec<_> = plan::connections(extent)
        .filter(|run| options.wants(&run.place) && run.place.since() <= kernel)
        .collect();
    let mut lab = Lab { extent, cpus, models, folder, kernel, events, steps: 0 };
    // Those that have to be tried for long come first, and of them those that need no patch: whoever stops a run has the most
    // of it.
    // Then all of one datapath on one map, which is loaded once for them.
    places.sort_by_key(|place| {
        let first = (!lab.clean(place), place.patched(), place.gc.protocol == Protocol::Plain);
        (first, place.refresh.name, place.map)
    });
    let steps = places.iter().map(|place| lab.trials(place).map_or(1, |trials| trials.len()));
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

/// A datapath, free and gated, that serves all strategies of a kind of datapath on one type of map.
struct Bench {
    object: String,
    settings: Settings,
    free: Result<Datapath, Denied>,
    gated: Stage,
}

struct Lab {
    extent: Extent,
    cpus: usize,
    /// The model's findings, if there are some.
    models: Option<HashMap<Cell, Model>>,
    folder: PathBuf,
    kernel: approaches::Since,
    events: BufWriter<File>,
    steps: u64,
}

/// What is tried of a cell. Each ends with one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    Stress,
    Witness,
    Disturbed(Circumstance),
}

impl Lab {
    fn send(&mut self, event: &RaceEvent) -> Result<()> {
        write_event(&mut self.events, event).context("cannot write the events")
    }

    fn ended(&mut self, event: &RaceEvent) -> Result<()> {
        self.steps += 1;
        self.send(event)
    }

    fn model(&self, place: &Place) -> Option<&Model> {
        self.models.as_ref()?.get(&place.cell())
    }

    /// The model finds nothing in the cell, or nobody has asked it.
    fn clean(&self, place: &Place) -> bool {
        self.models.is_none() || self.model(place).is_some_and(|model| model.counterexamples.is_empty())
    }

    /// What is tried, or why nothing is.
    fn trials(&self, place: &Place) -> Result<Vec<Trial>, String> {
        if let Some(reason) = place.model_alone() {
            return Err(reason.into());
        }
        let since = place.since();
        if since > self.kernel {
            let (major, minor) = since;
            return Err(format!("this kernel lacks it: it came with {major}.{minor}"));
        }
        let clean = self.clean(place);
        let without = Place { gc: Column { grace: false, ..place.gc }, ..*place };
        if place.gc.grace && self.models.is_some() && self.clean(&without) {
            return Err("without a grace period nothing goes wrong: with one it is in the model alone".into());
        }
        if !self.extent.has(place, clean) {
            return Err(self.extent.why_not().into());
        }
        let mut trials = vec![Trial::Stress];
        if !clean && self.models.is_some() {
            trials.push(Trial::Witness);
        }
        if clean {
            trials.extend(self.extent.circumstances(place).into_iter().map(Trial::Disturbed));
        }
        Ok(trials)
    }

    fn place(&mut self, place: &Place, bench: &mut Option<Bench>) -> Result<()> {
        let cell = place.cell();
        let trials = match self.trials(place) {
            Ok(trials) => trials,
            Err(reason) => return self.ended(&RaceEvent::Absent { cell, reason }),
        };
        for trial in trials {
            self.send(&RaceEvent::Began { what: format!("{cell}, {}", trial.name()) })?;
            let ended = self.attempt(trial, place, bench);
            self.tell(&cell, &trial.name(), ended)?;
        }
        Ok(())
    }

    fn attempt(&self, trial: Trial, place: &Place, bench: &mut Option<Bench>) -> Result<RaceEvent, Denied> {
        let cell = place.cell();
        let circumstance = match trial {
            Trial::Disturbed(circumstance) => Some(circumstance),
            Trial::Stress | Trial::Witness => None,
        };
        let plan = match circumstance {
            Some(_) => stress::Plan::DISTURB,
            None => self.extent.plan(self.clean(place)),
        };
        if place.map == MapKind::Arena {
            let stress = arena::stress(self.cpus, plan, place.gc, circumstance)?;
            return Ok(said(cell, circumstance, stress));
        }
        let settings = Settings {
            collide: circumstance == Some(Circumstance::Collision),
            ..Settings::new(place.map, stress::entries(place.map, self.cpus)).with(place.gc.runs)
        };
        let object = object_for(place.refresh, place.gc);
        let serves = |bench: &&mut Bench| bench.object == object && bench.settings == settings;
        let bench = match bench.as_mut().filter(serves) {
            Some(_) => bench.as_mut(),
            None => Some(bench.insert(self.bench(place, object, settings))),
        };
        let bench = bench.context("a bench that was just set up is gone")?;
        if trial == Trial::Witness {
            let model = self.model(place).context("there is no counter-example to replay")?;
            let (here, elsewhere) = self.shared_out(place, model);
            let mut witness = Witness::default();
            if !here.counterexamples.is_empty() {
                witness = bench.gated.witness(place.gc, &here, self.extent.replays())?;
            }
            witness.beyond.extend(elsewhere);
            return Ok(RaceEvent::Witnessed { cell, witness });
        }
        let free = bench.free.as_ref().map_err(Denied::again)?;
        let run = stress::Run { datapath: free, gc: place.gc, cpus: self.cpus, plan, circumstance };
        Ok(said(cell, circumstance, stress::run(&run)?))
    }

    /// Which counter-examples are replayed here, and why the others are not. Those of one pair are much the same on each type
    /// of map and in each form of one program.
    fn shared_out(&self, place: &Place, model: &Model) -> (Model, BTreeMap<Violation, String>) {
        let array = matches!(place.gc.runs, Runs::Program(_, Form::Array)) && !place.gc.patched;
        let on_hash = Place { map: MapKind::Hash, ..*place };
        let there = (place.map != MapKind::Hash).then(|| self.model(&on_hash)).flatten();
        let mut here = model.clone();
        let mut elsewhere = BTreeMap::new();
        here.counterexamples.retain(|violation, _| {
            let why = if array {
                "the program is replayed in the form for one key"
            } else if there.is_some_and(|model| model.counterexamples.contains_key(violation)) {
                "the pair is replayed on hash"
            } else {
                return true;
            };
            elsewhere.insert(*violation, why.to_owned());
            false
        });
        (here, elsewhere)
    }

    fn bench(&self, place: &Place, object: String, settings: Settings) -> Bench {
        let free = Datapath::load(&object, settings);
        let gated = Stage::new(place.refresh, place.gc, place.map, self.folder.clone());
        Bench { object, settings, free, gated }
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

fn said(cell: Cell, circumstance: Option<Circumstance>, stress: results::races::Stress) -> RaceEvent {
    match circumstance {
        Some(circumstance) => RaceEvent::Disturbed { cell, circumstance, stress },
        None => RaceEvent::Stressed { cell, stress },
    }
}

impl Trial {
    fn name(self) -> String {
        match self {
            Self::Stress => "stress".into(),
            Self::Witness => "witness".into(),
            Self::Disturbed(circumstance) => circumstance.words().into(),
        }
    }
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
