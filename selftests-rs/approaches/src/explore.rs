// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the model finds in a cell of the catalogue.

use model::{Lab, Program, Recycling, Steering};
use results::races::{Model, Side, Undisturbed};

use crate::{Column, MapKind, Place, Protocol, Refresh};

/// Explores one cell: under sequential consistency and, where the discipline's claim rests on an order of memory accesses,
/// with store buffers as well. What both find is told by the schedule without buffers, which a replay can follow.
///
/// # Errors
/// When a list of steps makes no program, or the model gets stuck; in words.
pub fn explore(place: &Place, steering: Steering) -> Result<Model, String> {
    let found = || -> Result<Model, String> {
        let packet = Program::packet(place.refresh.steps)?;
        let gc = Program::gc(place.gc.steps, place.gc.grace)?;
        let lab = Lab::new(packet, gc, place.map.recycling(), steering);
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
    };
    found()
        .map(|found| named_for(place.map, found))
        .map_err(|error| format!("cannot explore {}: {error}", place.cell()))
}

/// The functions that do for an LRU hash what those on the left do for a hash.
const LRU: [(&str, &str); 4] = [
    ("htab_map_update_elem", "htab_lru_map_update_elem"),
    ("htab_map_delete_elem", "htab_lru_map_delete_elem"),
    ("htab_map_delete_elem_cmp", "htab_lru_map_delete_elem_cmp"),
    ("free_htab_elem", "htab_lru_push_free"),
];

fn named_for(map: MapKind, mut found: Model) -> Model {
    if map == MapKind::LruHash {
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
