// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events for the tests of this folder. All of it is made up: no figure and no schedule here was ever observed.

use std::collections::BTreeMap;

use results::races::{
    Cell, Circumstance, Connections, Model, RaceEvent, Refusal, Side, Step, Stress, Undisturbed, Violation,
    Violations, Witness,
};

use super::matrix::Matrix;

/// A cell by its names.
pub fn cell(refresh: &str, gc: &str, map: &str) -> Cell {
    Cell { refresh: refresh.into(), gc: gc.into(), map: map.into() }
}

/// The lab says how many steps it will take.
pub fn plan(steps: u64) -> RaceEvent {
    RaceEvent::Plan { release: "7.3.0".into(), cpus: 2, steps }
}

/// The lab says that it took them.
pub fn done(steps: u64) -> RaceEvent {
    RaceEvent::Done { steps }
}

/// A step of a schedule.
pub fn step(actor: &str, label: &str, function: &str) -> Step {
    Step { actor: actor.into(), label: label.into(), function: function.into(), text: "made up".into() }
}

/// Gc judges, a packet writes, gc deletes and frees.
pub fn schedule() -> Vec<Step> {
    vec![
        step("gc", "look_up", "bpf_map_lookup_elem"),
        step("packet", "store", "the program"),
        step("gc", "delete", "htab_map_delete_elem"),
        step("gc", "free", "free_htab_elem"),
    ]
}

/// A model that found `violations`.
pub fn model(cell: Cell, violations: &[Violation]) -> RaceEvent {
    let counterexamples: BTreeMap<_, _> = violations.iter().map(|v| (*v, schedule())).collect();
    let counterexample = counterexamples.values().next().cloned();
    RaceEvent::Modelled {
        cell,
        model: Model {
            states: 1234,
            memory: "sc".into(),
            counterexample,
            counterexamples,
            ..Model::default()
        },
    }
}

/// An LRU map is kept full.
fn evicted(cell: &Cell) -> u64 {
    u64::from(cell.map == "lru-hash")
}

/// A stress run that counted `lost` lost refreshes.
pub fn stressed(cell: Cell, refreshes: u64, deletes: u64, lost: u64) -> RaceEvent {
    let violations = Violations { lost_refresh: lost, ..Violations::default() };
    let stress = Stress {
        packets: refreshes,
        refreshes,
        deletes,
        violations,
        seconds: 2.0,
        evicted: evicted(&cell),
        ..Stress::default()
    };
    RaceEvent::Stressed { cell, stress }
}

/// A run in worse circumstances that counted `lost` lost refreshes in as many deletes as refreshes.
pub fn disturbed(cell: Cell, circumstance: Circumstance, refreshes: u64, lost: u64) -> RaceEvent {
    let violations = Violations { lost_refresh: lost, ..Violations::default() };
    let stress =
        Stress { refreshes, deletes: refreshes, violations, evicted: evicted(&cell), ..Stress::default() };
    RaceEvent::Disturbed { cell, circumstance, stress }
}

/// A model that found nothing but `more` in worse circumstances.
pub fn model_if_worse(cell: Cell, circumstance: Circumstance, more: &[Violation]) -> RaceEvent {
    let found = more.iter().map(|violation| (*violation, schedule())).collect();
    let if_worse = BTreeMap::from([(circumstance, found)]);
    RaceEvent::Modelled {
        cell,
        model: Model { states: 1234, memory: "sc".into(), if_worse, ..Model::default() },
    }
}

/// A schedule was replayed, and `violation` seen in `seen` of `tried` times.
pub fn witnessed(cell: Cell, violation: Violation, seen: u32, tried: u32) -> RaceEvent {
    let by_violation = BTreeMap::from([(violation, (seen, tried))]);
    let held_by = "gate".into();
    RaceEvent::Witnessed {
        cell,
        witness: Witness { replayed: seen, of: tried, by_violation, held_by, ..Witness::default() },
    }
}

/// The kernel refused the cell.
pub fn refused(cell: Cell) -> RaceEvent {
    let refusal = Refusal { errno: "EOPNOTSUPP".into(), text: "map_create".into() };
    RaceEvent::Refused { cell, refusal }
}

/// The kernel lacks something for the cell.
pub fn absent(cell: Cell) -> RaceEvent {
    RaceEvent::Absent { cell, reason: "left out of the quick form".into() }
}

/// Connections were opened through the cell, and some broken.
pub fn connected(cell: Cell, opened: u64, broken: u64, snat: bool) -> RaceEvent {
    let errors = if broken > 0 { BTreeMap::from([("ETIMEDOUT".into(), broken)]) } else { BTreeMap::new() };
    RaceEvent::Connected {
        cell,
        connections: Connections { opened, broken, snat, errors, ..Connections::default() },
    }
}

/// What one side does undisturbed.
pub fn undisturbed(side: Side, name: &str, map_operations: u64) -> RaceEvent {
    let steps = vec![step("gc", "unlink", "htab_map_delete_elem")];
    let series = None;
    RaceEvent::Undisturbed(Undisturbed { side, name: name.into(), map_operations, series, steps })
}

/// The matrix of these events.
pub fn matrix(events: &[RaceEvent]) -> Matrix {
    let mut matrix = Matrix::default();
    matrix.add(events);
    matrix
}

/// One cell of each kind.
pub fn of_each_kind() -> Vec<RaceEvent> {
    use Violation::{Gap, LostRefresh};
    let mut events = vec![
        undisturbed(Side::Refresh, "store", 1),
        undisturbed(Side::Refresh, "replace", 2),
        undisturbed(Side::Gc, "compare", 1),
        undisturbed(Side::Gc, "blind", 1),
    ];
    for map in ["hash", "lru-hash"] {
        for refresh in ["store", "replace"] {
            let here = cell(refresh, "blind", map);
            events.extend([
                model(here.clone(), &[LostRefresh, Gap]),
                witnessed(here.clone(), LostRefresh, 10, 10),
                witnessed(here.clone(), Gap, 10, 10),
                stressed(here, 500_000, 1_000_000, 98_000),
            ]);
        }
        let here = cell("replace", "compare", map);
        if map == "hash" {
            events.extend([model(here.clone(), &[]), stressed(here, 10_000_000, 12_000_000, 0)]);
        } else {
            events.extend([model(here.clone(), &[]), refused(here)]);
        }
        let alone = || cell("due-tagged", "prog", map);
        events.extend([model(alone(), &[]), absent(alone())]);
    }
    let rare = cell("store", "compare", "hash");
    events.extend([
        model(rare.clone(), &[LostRefresh]),
        witnessed(rare.clone(), LostRefresh, 10, 10),
        stressed(rare, 10_000_000, 12_000_000, 0),
    ]);
    events
}

/// A matrix in which each cell has its standing.
pub fn weighed(events: &[RaceEvent]) -> Matrix {
    let mut matrix = matrix(events);
    super::judge::weigh(&mut matrix, false, "");
    matrix
}
