// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exploration of many cells at once: in the order of the matrix, and each as if it were alone. No cell's answer is
//! written down here: it is the model's to give.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

use approaches::{MapKind, Place, cells, explore};
use results::races::{Cell, Model, RaceEvent};

fn explored(wants: impl Fn(&Cell) -> bool) -> Vec<RaceEvent> {
    let mut events = Vec::new();
    explore::all(wants, |event| events.push(event)).unwrap();
    events
}

fn models(events: &[RaceEvent]) -> Vec<(&Cell, &Model)> {
    let models = events.iter().filter_map(|event| match event {
        RaceEvent::Modelled { cell, model } => Some((cell, model)),
        _ => None,
    });
    models.collect()
}

#[test]
fn events_come_in_the_order_of_the_matrix_and_as_often_as_planned() {
    let wants = |cell: &Cell| cell.refresh == "store" && cell.gc.starts_with("prog");
    let events = explored(wants);
    let expected: Vec<Cell> = cells::all().map(|place| place.cell()).filter(wants).collect();
    let found = models(&events);
    assert_eq!(found.iter().map(|(cell, _)| (*cell).clone()).collect::<Vec<_>>(), expected);
    let planned = u64::try_from(expected.len()).unwrap();
    assert!(matches!(events.first(), Some(RaceEvent::Plan { steps, .. }) if *steps == planned));
    assert!(matches!(events.last(), Some(RaceEvent::Done { steps }) if *steps == planned));
    assert_eq!(events, explored(wants));
}

#[test]
fn a_cell_is_the_same_alone_and_among_others() {
    let events =
        explored(|cell| cell.refresh == "half-life" && cell.map == "lru-hash" && cell.gc.contains("compare"));
    let found = models(&events);
    assert!(found.len() >= 4);
    for (cell, model) in found {
        let place = Place::of(cell).unwrap();
        assert_eq!(&explore::explore(&place).unwrap(), model, "{cell}");
    }
}

#[test]
fn a_schedule_names_the_functions_of_its_map() {
    for (map, function) in [
        (MapKind::Hash, "htab_map_delete_elem"),
        (MapKind::LruHash, "htab_lru_map_delete_elem"),
        (MapKind::Rhash, "rhtab_map_delete_elem"),
    ] {
        let events =
            explored(|cell| cell.refresh == "replace" && cell.gc == "blind" && cell.map == map.name());
        let found = models(&events);
        let steps = found[0].1.counterexamples.values().flatten();
        let of: Vec<_> =
            steps.filter(|step| step.label == "delete").map(|step| step.function.as_str()).collect();
        assert!(!of.is_empty() && of.iter().all(|name| *name == function), "{map}: {of:?}");
    }
}
