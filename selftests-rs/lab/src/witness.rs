// SPDX-License-Identifier: MIT OR Apache-2.0
//! The model's counter-examples, replayed in the kernel: each side runs from gate to gate in the schedule's order, and the
//! same oracle as everywhere judges what came of it.

pub mod debugger;
mod replay;
mod schedule;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::anyhow;
use approaches::{Column, Protocol, Refresh, Runs};
use results::races::{Model, Violation, Witness};

use crate::cpus;
use crate::datapath::{Datapath, MapKind, Settings, object_for};
use crate::load::Denied;
use replay::{ENOUGH, Replay};
use schedule::{Hold, Schedule};

/// Replays that may miss: now and then an allocator gives the third flow another element than the one that was made free last, and
/// what was to be seen cannot come about.
const MISSES: u32 = 3;

/// Why a collector in a program was held in vain, once one was: it is the kernel's doing, and holds for all of them. Each would
/// wait for a time-out of its own.
static IN_VAIN: OnceLock<String> = OnceLock::new();

/// Whether a collector that is held keeps a CPU that others may want.
fn in_program(strategy: Column, cpus: usize) -> bool {
    cpus < ENOUGH && strategy.runs != Runs::UserSpace
}

/// Gated datapaths of one discipline and map type, by the number of their entries: a replay that hands an element on needs
/// a map without spare ones.
pub struct Stage {
    discipline: Refresh,
    object: String,
    settings: Settings,
    map: MapKind,
    run: PathBuf,
    datapaths: BTreeMap<u32, Datapath>,
}

impl Stage {
    /// An empty one. `run` is the folder shared with a host that may be able to hold CPUs.
    pub fn new(discipline: Refresh, gc: Column, map: MapKind, run: PathBuf) -> Self {
        let settings = Settings { gated: true, ..Settings::new(map, 0) }.with(gc.runs);
        let object = object_for(discipline, gc);
        Self { discipline, object, settings, map, run, datapaths: BTreeMap::new() }
    }

    fn datapath(&mut self, entries: u32) -> Result<&Datapath, Denied> {
        if !self.datapaths.contains_key(&entries) {
            let datapath = Datapath::load(&self.object, Settings { entries, ..self.settings })?;
            self.datapaths.insert(entries, datapath);
        }
        self.datapaths.get(&entries).ok_or_else(|| anyhow!("a datapath that was just loaded is gone").into())
    }

    /// Replays each counter-example of a cell `times` times.
    ///
    /// # Errors
    /// [`Denied`]; that a replay did not come about is a note.
    pub fn witness(&mut self, strategy: Column, model: &Model, times: u32) -> Result<Witness, Denied> {
        let cpus = cpus::count()?;
        let quiet =
            matches!(strategy.protocol, Protocol::Stripe) || matches!(strategy.runs, Runs::OnFlowCpu(_));
        let mut witness = Witness { held_by: "gate".into(), ..Witness::default() };
        for (&violation, steps) in &model.counterexamples {
            let schedule = match Schedule::read(steps, self.discipline.steps, strategy.steps) {
                Ok(_) if matches!(strategy.runs, Runs::Timer { .. }) => {
                    witness.beyond.insert(violation, "nobody can hold a timer and let its CPU go on".into());
                    continue;
                }
                Ok(schedule) => schedule,
                Err(why) => {
                    witness.beyond.insert(violation, format!("{why:#}"));
                    continue;
                }
            };
            let hold = schedule.hold();
            if hold == Hold::Debugger && schedule.compares().is_none() {
                let why = "nobody can be held within a section under the lock of an element";
                witness.beyond.insert(violation, why.into());
                continue;
            }
            if cpus < ENOUGH && quiet && schedule.collects() {
                let why = format!("a collector that is held with interrupts off takes {ENOUGH} CPUs");
                witness.beyond.insert(violation, why);
                continue;
            }
            if let (Some(why), true) = (IN_VAIN.get(), in_program(strategy, cpus) && schedule.collects()) {
                witness.beyond.insert(violation, why.clone());
                continue;
            }
            let (run, entries) = (self.run.clone(), schedule.entries(self.map));
            if hold == Hold::Debugger {
                witness.held_by = "debugger".into();
            }
            let (mut seen, mut misses) = (0, 0);
            while seen + misses < times + MISSES && seen < times {
                if schedule.needs_a_filler(self.map) || schedule.fillers(self.map) > 0 {
                    // What was free where is different after it, and an LRU map evicts before it looks everywhere.
                    self.datapaths.remove(&entries);
                }
                let replay =
                    Replay { datapath: self.datapath(entries)?, strategy, schedule: &schedule, cpus };
                // Nothing that the kernel refuses can be replayed; what it took once it takes again.
                if seen + misses == 0 {
                    drop(replay.collector()?);
                }
                let found = cpus::keeping(|| match hold {
                    Hold::Gate => replay.by_gates(),
                    Hold::Debugger => replay.by_debugger(&run),
                })?;
                match found {
                    Ok(violations) if violations.of(violation) > 0 => seen += 1,
                    // Whoever was to be given that element was given another.
                    Ok(violations) => {
                        misses += 1;
                        note(&mut witness, violation, &format!("saw {violations:?}"));
                    }
                    Err(error) if in_program(strategy, cpus) => {
                        let why =
                            format!("it takes {ENOUGH} CPUs, or a kernel that preempts programs: {error:#}");
                        let _ = IN_VAIN.set(why.clone());
                        witness.beyond.insert(violation, why);
                        break;
                    }
                    Err(error) => {
                        note(&mut witness, violation, &format!("{error:#}"));
                        // Nobody waits for nine more time-outs.
                        break;
                    }
                }
            }
            if !witness.beyond.contains_key(&violation) {
                witness.by_violation.insert(violation, (seen, times));
                witness.replayed += seen;
                witness.of += times;
            }
        }
        Ok(witness)
    }
}

fn note(witness: &mut Witness, violation: Violation, text: &str) {
    let note = format!("{violation}: {text}");
    if !witness.notes.contains(&note) {
        witness.notes.push(note);
    }
}
