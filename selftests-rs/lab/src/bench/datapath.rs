// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a packet costs in the XDP workload: for each refresh discipline on a live entry, on one that is due and on a new
//! flow, beside a packet for which nothing is done and one whose entry is only looked up. Where two maps take turns, what is
//! live is in the current one, and what is due in the one before alone.
//!
//! Packets come in bursts of 64, as in the races: a run of the program on a burst without packets is what is taken off,
//! so that neither the test run nor the way into the program is in a figure.

use std::cell::RefCell;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Context as _, anyhow};
use approaches::{Column, Gc, Protocol, Refresh};
use cmpdel_uapi_raw::{Elements, Errno, Prepared};
use results::bench::{FlowState, Group, Measure, Packet as What, Unit};

use super::clock::Clock;
use super::job::Whose;
use super::samples::measure;
use super::stage::must_say;
use super::track::{Track, of_entries};
use super::{Not, Run, Step};
use crate::datapath::{MapKind, frame, key_of, object_for};
use crate::layout::{BURST, Kind, Lanes, Outcome, TICK, VALUE_SIZE};
use crate::load::{BENCHES, load, object};
use crate::shared::Shared;

/// Where instructions are counted, and by a real clock.
const SAMPLES: (usize, usize) = (9, 49);
/// How often each datapath is loaded: by a real clock it makes up to a tenth where the kernel has put code and map.
const LOADS: (usize, usize) = (1, 5);
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
/// The types of map that a packet is timed on: the plain one, and the one that evicts.
const MAPS: [MapKind; 2] = [MapKind::Hash, MapKind::LruHash];
const STATES: [FlowState; 3] = [FlowState::Live, FlowState::Due, FlowState::New];

/// All steps of the table.
pub fn steps<'a>(shelf: &'a Shelf, whose: Whose<'_>) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    for name in FLOOR {
        let run: Run<'a> = Box::new(move |clock| floor(name, clock));
        steps.push(step(name.to_owned(), FlowState::Floor, MapKind::Hash, run));
    }
    for map in MAPS {
        for name in datapaths(map, whose) {
            for state in STATES {
                let object = name.clone();
                let run: Run<'a> = Box::new(move |clock| shelf.best(&object, map, state, clock));
                steps.push(step(name.clone(), state, map, run));
            }
        }
    }
    let arena = Refresh::ALL.iter().filter(|discipline| discipline.protocol == Protocol::Arena);
    for discipline in arena {
        for state in STATES {
            let run: Run<'a> =
                Box::new(move |clock| shelf.best(discipline.name, MapKind::Arena, state, clock));
            steps.push(step(discipline.name.to_owned(), state, MapKind::Arena, run));
        }
    }
    steps
}

/// Each discipline, and the one without a protocol once more where whoever opens a flow sets its timer.
fn datapaths(map: MapKind, whose: Whose<'_>) -> Vec<String> {
    let mut all: Vec<String> = Refresh::ALL
        .iter()
        .filter(|discipline| discipline.protocol != Protocol::Arena && whose.runs(discipline))
        .map(|discipline| discipline.name.to_owned())
        .collect();
    for &gc in Gc::ALL.iter().filter(|gc| gc.protocol == Protocol::Timer && map == MapKind::Hash) {
        let timed = object_for(Refresh::Store, Column { gc, grace: false });
        if !all.contains(&timed) {
            all.push(timed);
        }
    }
    all
}

fn step<'a>(name: String, state: FlowState, map: MapKind, run: Run<'a>) -> Step<'a> {
    Step {
        group: Group::Datapath,
        what: format!("packet, {name}, {state:?} on {map}").to_lowercase(),
        weight: 5_000_000,
        run: Box::new(move |clock| {
            let packet = Some(What { discipline: name, state });
            let operation = "packet".into();
            Ok(Measure { operation, map: map.name().into(), packet, ..run(clock)? })
        }),
    }
}

/// The last datapath used: its packets come one state after the other.
#[derive(Default)]
pub struct Shelf(RefCell<Option<Shelved>>);

struct Shelved {
    object: String,
    map: MapKind,
    loaded: Vec<Track>,
}

impl Shelf {
    /// The cheapest of how often it is loaded.
    fn best(&self, object: &str, map: MapKind, state: FlowState, clock: &Clock) -> Result<Measure, Not> {
        let mut last = self.0.borrow_mut();
        if !last.as_ref().is_some_and(|shelved| shelved.object == object && shelved.map == map) {
            *last = None;
            let times = if clock.unit == Unit::Ns { LOADS.1 } else { LOADS.0 };
            let loaded = (0..times).map(|_| Track::open(object, map, ENTRIES)).collect::<Result<_, _>>()?;
            *last = Some(Shelved { object: object.to_owned(), map, loaded });
        }
        let shelved = last.as_ref().context("a datapath that was just loaded is gone")?;
        let (mut best, mut refused): (Option<Measure>, _) = (None, None);
        for track in &shelved.loaded {
            match refreshed(track, state, clock) {
                Ok(found) if best.as_ref().is_none_or(|best| found.min < best.min) => best = Some(found),
                Ok(_) => {}
                Err(Not::Here(why)) => refused = Some(Not::Here(why)),
                Err(not) => return Err(not),
            }
        }
        best.ok_or_else(|| refused.unwrap_or_else(|| Not::Failed(anyhow!("nothing was loaded"))))
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
        let times = if clock.unit == Unit::Ns { SAMPLES.1 } else { SAMPLES.0 };
        for _ in 0..=times {
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
            let errno = Errno(-i32::from(slot.err.load(Relaxed)));
            if errno == Errno(libc::ENOMEM) {
                // Timers are allocated without waiting for anybody, which fails easily.
                return Err(Not::Here("the kernel had no memory for one of the packets (ENOMEM)".into()));
            }
            return Err(Not::Broken(format!(
                "of a packet came {outcome:?} ({errno}) where it must be one of {wanted:?}"
            )));
        }
    }
    Ok(())
}

fn floor(name: &str, clock: &Clock) -> Result<Measure, Not> {
    let loaded = load(object(BENCHES, "floor")?, |map, open| {
        if map == "ct4" { of_entries(open, MapKind::Hash, ENTRIES) } else { Ok(()) }
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

fn refreshed(track: &Track, state: FlowState, clock: &Clock) -> Result<Measure, Not> {
    let datapath = track.datapath();
    track.empty(FLOWS)?;
    datapath.set_clock(START);
    track.open_flows(0, 0..FLOWS)?;
    let mut bursts = Bursts::of(datapath.program()?)?;
    let kind = if state == FlowState::New { Kind::Open } else { Kind::Data };
    let wanted: &[Outcome] = match (state, datapath.generations()) {
        (FlowState::New, _) => &[Outcome::Created],
        (FlowState::Live, Some(_)) => &[Outcome::Stored],
        // Copied to the current map.
        (_, Some(_)) => &[Outcome::Replaced],
        (_, None) => &[Outcome::Stored, Outcome::Replaced, Outcome::Left],
    };
    let before = || {
        match (state, datapath.generations()) {
            (FlowState::New, _) => track.empty(FLOWS)?,
            (FlowState::Due, Some(generations)) => generations.turn()?,
            (FlowState::Due, None) => {
                datapath.control().now.fetch_add(LATER * TICK, Relaxed);
            }
            (FlowState::Live | FlowState::Floor, _) => {}
        }
        list(datapath.lanes(), 0, kind);
        Ok(())
    };
    bursts.measure(clock, before, || must_come_of(datapath.lanes(), wanted))
}
