// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the model finds in a cell of the catalogue, and in all of them.

mod queue;
mod space;

use std::collections::BTreeMap;

use model::dsl::{Op, step};
use model::{Lab, Program, Recycling, Steering};
use results::races::{Cell, Circumstance, Model, RaceEvent, Side, Undisturbed, Violation};

use crate::{Column, MapKind, Place, Protocol, Refresh, cells};
use space::Space;

/// Explores one cell: under sequential consistency and, where the discipline's claim rests on an order of memory accesses,
/// with store buffers as well. What both find is told by the schedule without buffers, which a replay can follow. Where
/// nothing is found, worse circumstances are explored, and what they bring is told of each.
///
/// # Errors
/// When a list of steps makes no program, or the model gets stuck; in words.
pub fn explore(place: &Place) -> Result<Model, String> {
    of_space(place)
        .map(|found| named_for(place, found))
        .map_err(|error| format!("cannot explore {}: {error}", place.cell()))
}

/// The same, without the names that a place gives to functions.
fn of_space(place: &Place) -> Result<Model, String> {
    let lab = lab(place)?;
    let mut found = in_all_orders(place, lab.clone())?;
    if !found.counterexamples.is_empty() {
        return Ok(found);
    }
    for circumstance in Circumstance::ALL.into_iter().filter(|&one| applies(place, one)) {
        let worse = in_all_orders(place, lab.clone().in_circumstance(circumstance)?)?;
        found.states += worse.states;
        if !worse.counterexamples.is_empty() {
            found.if_worse.insert(circumstance, worse.counterexamples);
        }
    }
    Ok(found)
}

fn lab(place: &Place) -> Result<Lab, String> {
    let packet = Program::packet(place.refresh.steps)?;
    let gc = Program::gc(place.gc.steps, place.gc.grace)?;
    // Each collector in the kernel holds the classic RCU lock, or runs with interrupts off, while it holds a pointer. One that
    // did not would be `Lab::sleepable`.
    Ok(Lab::new(packet, gc, place.map.recycling(), Steering::Pinned))
}

fn in_all_orders(place: &Place, lab: Lab) -> Result<Model, String> {
    let mut found = lab.clone().explore()?;
    if place.refresh.ordering {
        let buffered = lab.with_store_buffers().explore()?;
        found.states += buffered.states;
        found.memory = buffered.memory;
        for (violation, schedule) in buffered.counterexamples {
            found.counterexamples.entry(violation).or_insert(schedule);
        }
        found.counterexample = found.counterexamples.values().next().cloned();
    }
    Ok(found)
}

/// Whether there is anything to worsen.
fn applies(place: &Place, circumstance: Circumstance) -> bool {
    let has = |op| place.gc.steps.iter().any(|step| step.op == op);
    match circumstance {
        Circumstance::Spread => true,
        // An entry has one timer.
        Circumstance::TwoCollectors => place.gc.protocol != Protocol::Timer,
        Circumstance::Collision => place.refresh.tagged || has(Op::LockedMark) || has(Op::ReadWord),
        Circumstance::AgentUpdates | Circumstance::AgentStores | Circumstance::HandDeletes => {
            !matches!(place.refresh.protocol, Protocol::Generations | Protocol::Arena)
        }
    }
}

/// The functions of the map's own kind, for what those on the left do for a hash.
fn functions(map: MapKind) -> &'static [(&'static str, &'static str)] {
    match map {
        MapKind::Hash | MapKind::HashNoPrealloc | MapKind::Arena => &[],
        MapKind::LruHash => &[
            ("htab_map_update_elem", "htab_lru_map_update_elem"),
            ("htab_map_delete_elem", "htab_lru_map_delete_elem"),
            ("htab_map_compare_and_delete_elem", "htab_lru_map_compare_and_delete_elem"),
            ("htab_map_compare_and_update_elem", "htab_lru_map_compare_and_update_elem"),
            ("free_htab_elem", "htab_lru_push_free"),
            ("alloc_htab_elem", "htab_lru_map_update_elem"),
        ],
        MapKind::Rhash => &[
            ("htab_map_lookup_elem", "rhtab_map_lookup_elem"),
            ("__htab_map_lookup_elem", "rhtab_lookup_elem"),
            ("htab_map_update_elem", "rhtab_map_update_elem"),
            ("htab_map_delete_elem", "rhtab_map_delete_elem"),
            ("free_htab_elem", "bpf_mem_cache_free_rcu"),
            ("alloc_htab_elem", "rhtab_map_update_elem"),
            ("bpf_for_each_hash_elem", "bpf_each_rhash_elem"),
            ("__htab_map_lookup_and_delete_batch", "__rhtab_map_lookup_and_delete_batch"),
            ("__htab_map_lookup_and_delete_elem", "rhtab_map_lookup_and_delete_elem"),
            ("hlist_nulls_del_rcu", "rhashtable_remove_fast"),
        ],
    }
}

/// Places that explore as one may differ in the functions that their steps stand for.
fn named_for(place: &Place, mut found: Model) -> Model {
    let of_map = functions(place.map);
    let worse = found.if_worse.values_mut().flat_map(BTreeMap::values_mut);
    let schedules = found.counterexamples.values_mut().chain(found.counterexample.as_mut()).chain(worse);
    for line in schedules.flatten() {
        let steps = match line.actor.as_str() {
            "gc" | "gc2" => place.gc.steps,
            "packet" | "packet2" | "again" => place.refresh.steps,
            _ => &[],
        };
        let label = line.label.split('.').next().unwrap_or_default();
        if let Some(own) = step(steps, label) {
            own.function.clone_into(&mut line.function);
        }
        if let Some((_, name)) = of_map.iter().find(|(hash, _)| *hash == line.function) {
            (*name).clone_into(&mut line.function);
        }
    }
    found
}

/// What each discipline and each strategy does when nobody comes in between.
///
/// # Errors
/// When a list of steps makes no program; in words.
pub fn undisturbed() -> Result<Vec<Undisturbed>, String> {
    let kind = |protocol| if protocol == Protocol::Arena { Recycling::Slots } else { Recycling::Parked };
    let mut all = Vec::new();
    for discipline in Refresh::ALL {
        let program = Program::packet(discipline.steps)?;
        all.push(model::undisturbed(program, Side::Refresh, discipline.name, kind(discipline.protocol)));
    }
    for column in Column::all() {
        let program = Program::gc(column.steps, column.grace)?;
        let mut found = model::undisturbed(program, Side::Gc, &column.to_string(), kind(column.protocol));
        found.series = column.series.map(str::to_owned);
        all.push(found);
    }
    Ok(all)
}

/// Explores every cell that `wants` asks for, on all CPUs, and tells of it in the order of the matrix: a plan, what each side
/// does undisturbed, each cell, and the end. Cells that explore as one are explored once.
///
/// # Errors
/// When a list of steps makes no program; in words. What fails in one cell is told as that cell's.
pub fn all(wants: impl Fn(&Cell) -> bool, mut tell: impl FnMut(RaceEvent)) -> Result<(), String> {
    let chosen: Vec<Place> = cells::all().filter(|place| wants(&place.cell())).collect();
    let steps = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tell(RaceEvent::Plan { release: release(), cpus, steps });
    for price in undisturbed()? {
        tell(RaceEvent::Undisturbed(price));
    }
    // The first place of each space, and for each place which of those.
    let mut spaces: BTreeMap<Space, usize> = BTreeMap::new();
    let mut first = Vec::new();
    let mut place_in = Vec::new();
    for place in &chosen {
        let space = *spaces.entry(Space::of(place)).or_insert_with(|| {
            first.push(*place);
            first.len() - 1
        });
        place_in.push(space);
    }
    let mut cells = chosen.iter().zip(place_in).peekable();
    let mut known: Vec<Option<Result<Model, String>>> = vec![None; first.len()];
    queue::work(cpus, &first, of_space, |space, found| {
        known[space] = Some(found);
        while let Some(&(place, space)) = cells.peek()
            && let Some(found) = &known[space]
        {
            tell(event(place, found.clone()));
            cells.next();
        }
    });
    tell(RaceEvent::Done { steps });
    Ok(())
}

fn event(place: &Place, found: Result<Model, String>) -> RaceEvent {
    let cell = place.cell();
    match found {
        Ok(found) => RaceEvent::Modelled { cell, model: named_for(place, found) },
        Err(error) => RaceEvent::Failed { cell, evidence: "model".to_owned(), error },
    }
}

fn release() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    release.map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// What is wrong with a cell, in a few words each.
#[must_use]
pub fn words(found: &BTreeMap<Violation, Vec<results::races::Step>>) -> String {
    let words: Vec<_> = found.keys().map(|violation| violation.words()).collect();
    if words.is_empty() { "nothing found".to_owned() } else { words.join(", ") }
}
