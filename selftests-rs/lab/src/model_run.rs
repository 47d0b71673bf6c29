// SPDX-License-Identifier: MIT OR Apache-2.0
//! `lab model`: what the model finds in each cell. Needs no kernel.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use model::{Lab, Program, Recycling, Steering};
use results::races::{Cell, Model, RaceEvent, Side, Step, Undisturbed};
use results::write_event;

use crate::cell::{self, Place};
use crate::{gc, refresh};

/// What to explore.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Only cells whose "REFRESH × GC on MAP" contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// File for the events, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Print the events instead of the schedules
    #[arg(long)]
    json: bool,
    /// Let two packets of a flow run at once on two CPUs, instead of one after the other on one
    #[arg(long)]
    spread: bool,
}

/// Explores what was asked for.
///
/// # Errors
/// When the events cannot be written, or a list of steps makes no program.
pub fn run(options: &Options) -> Result<()> {
    let chosen: Vec<Place> = cell::all().filter(|place| options.wants(&place.cell())).collect();
    let mut out = Out::new(options)?;
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let cpus = std::thread::available_parallelism().context("cannot count the CPUs")?.get();
    out.send(&RaceEvent::Plan { release, cpus, steps: chosen.len().try_into()? })?;
    prices(&mut out)?;
    let mut before: Option<(Place, Model)> = None;
    for place in &chosen {
        // A hash without preallocation and an LRU hash recycle alike, so they have one state space.
        let found = match before.take() {
            Some((known, found)) if same_space(&known, place) => Ok(found),
            _ => explore(place, options.steering()),
        };
        let event = match found {
            Ok(found) => {
                before = Some((*place, found.clone()));
                RaceEvent::Modelled { cell: place.cell(), model: named_for(place.map, found) }
            }
            Err(error) => RaceEvent::Failed {
                cell: place.cell(),
                evidence: "model".to_owned(),
                error: format!("{error:#}"),
            },
        };
        out.send(&event)?;
    }
    out.send(&RaceEvent::Done { steps: chosen.len().try_into()? })
}

impl Options {
    fn wants(&self, cell: &Cell) -> bool {
        self.filter.as_ref().is_none_or(|filter| cell.to_string().contains(filter.as_str()))
    }

    fn steering(&self) -> Steering {
        if self.spread { Steering::Spread } else { Steering::Pinned }
    }
}

fn same_space(one: &Place, other: &Place) -> bool {
    one.recycling == other.recycling
        && one.discipline.name == other.discipline.name
        && one.strategy.full_name() == other.strategy.full_name()
}

/// Explores one cell: under sequential consistency and, where the discipline's claim rests on an order of memory accesses,
/// with store buffers as well. What both find is told by the schedule without buffers, which a replay can follow.
///
/// # Errors
/// When a list of steps makes no program, or the model gets stuck.
pub fn explore(place: &Place, steering: Steering) -> Result<Model> {
    let found = || -> Result<Model, String> {
        let packet = Program::packet(place.discipline.steps)?;
        let gc = Program::gc(place.strategy.steps, place.strategy.grace)?;
        let lab = Lab::new(packet, gc, place.recycling, steering);
        let mut found = lab.clone().explore()?;
        if place.discipline.ordering {
            let buffered = lab.with_store_buffers().explore()?;
            found.states += buffered.states;
            found.memory = buffered.memory;
            for (violation, schedule) in buffered.counterexamples {
                found.counterexamples.entry(violation).or_insert(schedule);
            }
            found.counterexample = found.counterexamples.values().next().cloned();
        }
        Ok(found)
    };
    found().map_err(anyhow::Error::msg).with_context(|| format!("cannot explore {}", place.cell()))
}

/// The functions that do for an LRU hash what those on the left do for a hash.
const LRU: [(&str, &str); 4] = [
    ("htab_map_update_elem", "htab_lru_map_update_elem"),
    ("htab_map_delete_elem", "htab_lru_map_delete_elem"),
    ("htab_map_delete_elem_cmp", "htab_lru_map_delete_elem_cmp"),
    ("free_htab_elem", "htab_lru_push_free"),
];

fn named_for(map: &str, mut found: Model) -> Model {
    if map == "lru-hash" {
        let schedules = found.counterexamples.values_mut().chain(found.counterexample.as_mut());
        for step in schedules.flatten() {
            if let Some((_, name)) = LRU.iter().find(|(hash, _)| *hash == step.function) {
                (*name).clone_into(&mut step.function);
            }
        }
    }
    found
}

/// What each discipline and each strategy does when nobody comes in between.
fn prices(out: &mut Out) -> Result<()> {
    let kind = |name: &str| if name == "arena" { Recycling::Slots } else { Recycling::Parked };
    for discipline in refresh::ALL {
        let program = Program::packet(discipline.steps).map_err(anyhow::Error::msg)?;
        let found = model::undisturbed(program, Side::Refresh, discipline.name, kind(discipline.name));
        out.legend(&found, discipline.about)?;
        out.send(&RaceEvent::Undisturbed(found))?;
    }
    for strategy in gc::ALL {
        let program = Program::gc(strategy.steps, strategy.grace).map_err(anyhow::Error::msg)?;
        let mut found = model::undisturbed(program, Side::Gc, &strategy.full_name(), kind(strategy.name));
        found.series = strategy.series.map(str::to_owned);
        out.legend(&found, strategy.about)?;
        out.send(&RaceEvent::Undisturbed(found))?;
    }
    Ok(())
}

/// Where the events go: to a file if there is one, and to the terminal as themselves or in words.
struct Out {
    file: Option<BufWriter<File>>,
    json: bool,
}

impl Out {
    fn new(options: &Options) -> Result<Self> {
        let open = |path: &PathBuf| {
            File::create(path).map(BufWriter::new).with_context(|| format!("cannot write {}", path.display()))
        };
        Ok(Self { file: options.events.as_ref().map(open).transpose()?, json: options.json })
    }

    /// A line on a row or a column, ahead of the cells.
    fn legend(&self, of: &Undisturbed, about: &str) -> Result<()> {
        if self.json {
            return Ok(());
        }
        let (side, operations) = (if of.side == Side::Gc { "gc" } else { "refresh" }, of.map_operations);
        let name = &of.name;
        writeln!(std::io::stdout(), "{side} {name}: {about} ({operations} map operations undisturbed)")
            .context("cannot print")
    }

    fn send(&mut self, event: &RaceEvent) -> Result<()> {
        if let Some(file) = &mut self.file {
            write_event(file, event).context("cannot write the events")?;
        }
        let mut out = std::io::stdout().lock();
        if self.json {
            return write_event(&mut out, event).context("cannot print the events");
        }
        match event {
            RaceEvent::Modelled { cell, model } => show(&mut out, cell, model).context("cannot print"),
            RaceEvent::Failed { cell, error, .. } => writeln!(out, "{cell}: {error}").context("cannot print"),
            _ => Ok(()),
        }
    }
}

fn show(out: &mut impl Write, cell: &Cell, found: &Model) -> std::io::Result<()> {
    let words: Vec<_> = found.counterexamples.keys().map(|violation| violation.words()).collect();
    let words = if words.is_empty() { "nothing found".to_owned() } else { words.join(", ") };
    writeln!(out, "{cell}: {words} ({} states, {})", found.states, found.memory)?;
    for (number, step) in (0..).zip(found.counterexample.iter().flatten()) {
        line(out, number, step)?;
    }
    Ok(())
}

fn line(out: &mut impl Write, number: u32, step: &Step) -> std::io::Result<()> {
    let Step { actor, label, function, text } = step;
    if actor == model::START {
        return writeln!(out, "      {text}");
    }
    writeln!(out, "  {number:>2}. {actor:<8}{label:<17}{text} [{function}]")
}
