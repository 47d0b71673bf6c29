// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a packet costs in the XDP workload: for each refresh discipline on a live entry, on one that is due and on a new
//! flow, beside a packet for which nothing is done and one whose entry is only looked up.
//!
//! Packets come in bursts of 64, as in the races: a run of the program on a burst without packets is what is taken off,
//! so that neither the test run nor the way into the program is in a figure.

use std::sync::atomic::Ordering::Relaxed;

use approaches::Refresh;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Elements, Errno, Prepared};
use results::bench::{FlowState, Group, Measure, Packet as What};

use super::clock::Clock;
use super::samples::measure;
use super::stage::must_say;
use super::{Not, Run, Step};
use crate::arena::{self, Opened, table};
use crate::collector::Counted;
use crate::datapath::{Datapath, MapKind, Packet, Prepare as _, Settings, frame, key_of};
use crate::layout::{BURST, Kind, Lanes, Outcome, TICK, VALUE_SIZE};
use crate::load::{BENCHES, DATAPATHS, load, object};
use crate::shared::Shared;

const SAMPLES: usize = 9;
/// One for each packet of a burst.
const FLOWS: u32 = 64;
const _: () = assert!(FLOWS as usize == BURST);
/// Of the workload's maps.
const ENTRIES: u32 = 4096;
/// The clock at the beginning, in ticks.
const START: u32 = 100;
/// What is certain to be due after the last refresh.
const LATER: u32 = 100;
const XDP_DROP: u32 = 1;
const FLOOR: [&str; 2] = ["empty", "look-up"];

/// All steps of the table.
pub fn steps<'a>() -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    for name in FLOOR {
        steps.push(step(name, FlowState::Floor, "hash", Box::new(move |clock| floor(name, clock))));
    }
    for discipline in Refresh::ALL {
        let name = discipline.data().name;
        let map = if name == arena::MAP { arena::MAP } else { "hash" };
        for state in [FlowState::Live, FlowState::Due, FlowState::New] {
            steps.push(step(name, state, map, Box::new(move |clock| refreshed(name, state, clock))));
        }
    }
    steps
}

fn step<'a>(name: &'static str, state: FlowState, map: &'static str, run: Run<'a>) -> Step<'a> {
    Step {
        group: Group::Datapath,
        what: format!("packet, {name}, {state:?} on {map}").to_lowercase(),
        weight: 5_000_000,
        run: Box::new(move |clock| {
            let packet = Some(What { discipline: name.into(), state });
            let operation = "packet".into();
            Ok(Measure { operation, map: map.into(), packet, ..run(clock)? })
        }),
    }
}

/// A program, as a burst in the first lane finds it.
pub struct Bursts {
    whole: Prepared,
    none: Prepared,
}

impl Bursts {
    /// Bursts for `program`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn of(program: std::os::fd::BorrowedFd<'_>) -> Result<Self, Not> {
        Ok(Self {
            whole: Prepared::run_on_frame(program, &frame(0, BURST))?,
            none: Prepared::run_on_frame(program, &frame(0, 0))?,
        })
    }

    /// What a burst of packets takes.
    ///
    /// # Errors
    /// The kernel's, and a verdict that is none of the program's.
    pub fn whole(&mut self) -> Result<u64, Not> {
        Self::run(&mut self.whole)
    }

    /// What a burst without packets takes.
    ///
    /// # Errors
    /// As of [`Bursts::whole`].
    pub fn none(&mut self) -> Result<u64, Not> {
        Self::run(&mut self.none)
    }

    fn run(call: &mut Prepared) -> Result<u64, Not> {
        let (took, answer) = call.timed();
        must_say(answer, 0)?;
        if call.returned() == XDP_DROP {
            return Ok(took);
        }
        Err(Not::Broken(format!("the program returned {}", call.returned())))
    }

    /// `before` sets the stage for each sample, `after` looks at what came of it.
    fn measure(
        &mut self,
        clock: &Clock,
        mut before: impl FnMut() -> Result<(), Not>,
        mut after: impl FnMut() -> Result<(), Not>,
    ) -> Result<Measure, Not> {
        let mut floor = u64::MAX;
        let mut samples = Vec::new();
        for _ in 0..=SAMPLES {
            floor = floor.min(self.none()?);
            before()?;
            samples.push(self.whole()?);
            after()?;
        }
        // The first run pays for what is done once.
        let around = Clock { floor, ..*clock };
        Ok(measure(Group::Datapath, &around, &samples[1..], 1, BURST as u64))
    }
}

/// Puts the packets of a burst into the first lane: one for each of the flows from `first` on.
pub fn list(lanes: &Lanes, first: u32, kind: Kind) {
    for (flow, slot) in (first..).zip(&lanes.0[0].packets) {
        slot.flow.store(flow, Relaxed);
        slot.kind.store(kind as u32, Relaxed);
        slot.outcome.store(0, Relaxed);
    }
}

/// Each packet of the first lane must have come to one of these ends.
///
/// # Errors
/// [`Not::Broken`] if one has not.
pub fn must_come_of(lanes: &Lanes, wanted: &[Outcome]) -> Result<(), Not> {
    for slot in &lanes.0[0].packets {
        let outcome = Outcome::of(slot.outcome.load(Relaxed));
        if !outcome.is_some_and(|outcome| wanted.contains(&outcome)) {
            return Err(Not::Broken(format!(
                "of a packet came {outcome:?} where it must be one of {wanted:?}"
            )));
        }
    }
    Ok(())
}

fn floor(name: &str, clock: &Clock) -> Result<Measure, Not> {
    let loaded = load(object(BENCHES, "floor")?, |map, open| {
        if map == "ct4" {
            MapKind::Hash.prepare(open, ENTRIES)?;
            open.set_map_flags(abi::BPF_F_ZERO_SEED)?;
        }
        Ok(())
    })?;
    let lanes = Shared::<Lanes>::map(loaded.map("lanes")?)?;
    let elements = Elements::new(loaded.map("ct4")?)?;
    for flow in 0..FLOWS {
        elements.update(&key_of(flow), &[0; VALUE_SIZE], 0)?;
    }
    let looks_up = name == FLOOR[1];
    let program = loaded.program(if looks_up { "look_up" } else { "empty" })?;
    let mut bursts = Bursts::of(program)?;
    let before = || {
        list(&lanes, 0, Kind::Data);
        Ok(())
    };
    bursts.measure(clock, before, || if looks_up { must_come_of(&lanes, &[Outcome::Left]) } else { Ok(()) })
}

/// A datapath, and how its entries are taken away.
pub enum Track {
    /// On a hash map.
    Map(Datapath),
    /// On the table in an arena, whose size is its own.
    Arena(Opened),
}

impl Track {
    /// Opens the datapath with this discipline, for bursts whose lifetimes name nobody.
    ///
    /// # Errors
    /// [`Not::Here`] where the discipline has none.
    pub fn open(name: &str, entries: u32) -> Result<Self, Not> {
        let settings = Settings { oracle: false, ..Settings::new(MapKind::Hash, entries) };
        if name == arena::MAP {
            return Ok(Self::Arena(arena::open(settings)?));
        }
        if !DATAPATHS.iter().any(|(known, _)| *known == name) {
            return Err(Not::Here(format!("`{name}` has no datapath: it is in the model alone")));
        }
        let datapath = Datapath::open(object(DATAPATHS, name)?, settings, |map, open| {
            if ["ct4", "ct6", "snat4", "snat6"].contains(&map) {
                MapKind::Hash.prepare(open, entries)?;
                open.set_map_flags(abi::BPF_F_ZERO_SEED)?;
            }
            Ok(())
        })?;
        Ok(Self::Map(datapath))
    }

    /// The datapath.
    pub fn datapath(&self) -> &Datapath {
        match self {
            Self::Map(datapath) | Self::Arena(Opened { datapath, .. }) => datapath,
        }
    }

    fn empty(&self) -> Result<(), Not> {
        match self {
            Self::Map(datapath) => {
                let elements = Elements::new(datapath.map("ct4")?)?;
                for flow in 0..FLOWS {
                    match elements.delete(&key_of(flow)) {
                        Ok(()) | Err(Errno(libc::ENOENT)) => {}
                        Err(errno) => return Err(errno.into()),
                    }
                }
            }
            Self::Arena(Opened { table, .. }) => {
                table::collect(&table.0, u32::MAX, &mut Counted::default());
            }
        }
        Ok(())
    }
}

fn refreshed(name: &str, state: FlowState, clock: &Clock) -> Result<Measure, Not> {
    let track = Track::open(name, ENTRIES)?;
    let datapath = track.datapath();
    datapath.set_clock(START);
    let opened: Vec<Packet> = (0..FLOWS).map(|flow| Packet { flow, kind: Kind::Open }).collect();
    let mut created = 0;
    datapath.burst(0, &opened, |handled| created += usize::from(handled.outcome == Outcome::Created))?;
    if created != BURST {
        return Err(Not::Broken(format!("{created} of {BURST} flows were opened")));
    }
    let mut bursts = Bursts::of(datapath.program()?)?;
    let kind = if state == FlowState::New { Kind::Open } else { Kind::Data };
    let wanted: &[Outcome] = match state {
        FlowState::New => &[Outcome::Created],
        _ => &[Outcome::Stored, Outcome::Replaced, Outcome::Left],
    };
    let before = || {
        match state {
            FlowState::New => track.empty()?,
            FlowState::Due => {
                datapath.control().now.fetch_add(LATER * TICK, Relaxed);
            }
            FlowState::Live | FlowState::Floor => {}
        }
        list(datapath.lanes(), 0, kind);
        Ok(())
    };
    bursts.measure(clock, before, || must_come_of(datapath.lanes(), wanted))
}
