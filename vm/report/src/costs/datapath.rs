// SPDX-License-Identifier: MIT OR Apache-2.0
//! A packet through the XDP workload, by refresh discipline.

use approaches::Refresh;
use results::bench::{FlowState, Group, Row, Unit};

use super::kind::{bar, is_kind, kinds, maps, says};
use crate::{
    figures::Figures,
    page::{Bar, Chart, CostPart, Plot},
};

/// What a packet found, for a title.
fn state_words(state: FlowState) -> (&'static str, &'static str) {
    match state {
        FlowState::Live => ("live", "A packet of a live entry"),
        FlowState::Due => ("due", "A packet of an entry that is due"),
        FlowState::New => ("new", "The first packet of a flow"),
        FlowState::Floor => ("floor", "Floor"),
    }
}

/// The charts.
pub fn part(figures: &Figures) -> CostPart {
    let rows: Vec<&Row> = figures.group(Group::Datapath).collect();
    let mut charts = Vec::new();
    for kind in kinds(rows.iter().copied()) {
        let rows: Vec<&Row> = rows.iter().copied().filter(|row| is_kind(row, kind)).collect();
        for map in maps(&rows).into_iter().filter(|map| !["-", "arena"].contains(map)) {
            for state in [FlowState::Live, FlowState::Due, FlowState::New] {
                charts.extend(packet_chart(&rows, map, state, kind));
            }
        }
    }
    CostPart {
        id: "datapath".into(),
        title: "A packet through the XDP workload".into(),
        about: "For each refresh discipline, without what an empty test run costs; × is in relation to plain store in the same \
                state of the entry."
            .into(),
        charts,
        tables: Vec::new(),
    }
}

fn packet_chart(rows: &[&Row], map: &str, state: FlowState, kind: (Unit, &str)) -> Option<Chart> {
    let of = |row: &Row| row.measure.packet.clone();
    let here: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| {
            (row.measure.map == map || row.measure.map == "arena")
                && of(row).is_some_and(|packet| packet.state == state)
        })
        .collect();
    let reference = here
        .iter()
        .copied()
        .find(|row| of(row).is_some_and(|packet| packet.discipline == Refresh::Store.name));
    let floors = rows.iter().copied().filter(|row| of(row).is_some_and(|p| p.state == FlowState::Floor));
    let several = kernels(&here) > 1;
    let label = |row: &Row| {
        let name = of(row).map_or_else(String::new, |packet| packet.discipline);
        if several { format!("{name} · {}", row.origin.kernel) } else { name }
    };
    if here.is_empty() {
        return None;
    }
    let bars: Vec<Bar> = floors
        .map(|row| bar(format!("({})", label(row)), row, reference))
        .chain(here.iter().map(|row| bar(label(row), row, reference)))
        .collect();
    let (id, title) = state_words(state);
    Some(Chart {
        id: format!("packet-{id}-{map}-{}-{}", kind.0, kind.1),
        title: format!("{title}, {map}"),
        unit: kind.0.to_string(),
        accel: kind.1.into(),
        says: says(&bars, reference.map(|_| Refresh::Store.name)),
        plot: Plot::Bars {
            reference: reference.map(|row| (Refresh::Store.name.into(), row.measure.min)),
            bars,
        },
        folded: false,
    })
}

fn kernels(rows: &[&Row]) -> usize {
    let mut names: Vec<&str> = rows.iter().map(|row| row.origin.kernel.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}
