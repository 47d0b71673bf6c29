// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a line costs: a packet beside plain store, a removal beside a plain delete by key. Counted and timed figures are told
//! apart, and none is put in relation to one of the other kind.

use approaches::Refresh;
use results::bench::{FlowState, Group};

use super::{cheapest::cheapest, line::Line};
use crate::{
    comparison::ratio,
    figures::Figures,
    kinds::Evidence,
    page::{Paid, Price},
};

/// `instructions, tcg`.
pub fn unit(figures: &Figures) -> String {
    let row = figures.group(Group::Datapath).next().or_else(|| figures.group(Group::Job).next());
    row.map_or_else(String::new, |row| format!("{}, {}", row.measure.unit, row.origin.accel))
}

/// A packet of a live, a due and a new flow.
pub fn packet(evidence: &Evidence, line: &Line<'_>) -> Paid {
    let of = |figures: &Figures| {
        [("live", FlowState::Live), ("due", FlowState::Due), ("new", FlowState::New)]
            .into_iter()
            .filter_map(|(of, state)| {
                let row = figures.packet_on(line.refresh, state, &line.maps)?;
                let store = figures.packet_on(Refresh::Store.name, state, &[&row.measure.map]);
                Some(Price {
                    of: of.into(),
                    by: None,
                    value: row.measure.min,
                    ratio: store.and_then(|store| ratio(row, store).ok()),
                })
            })
            .collect()
    };
    Paid { counted: of(&evidence.figures), timed: of(&evidence.native) }
}

/// One removal: the cheapest column that is called for each entry, and the cheapest of those that are called for many.
pub fn removal(evidence: &Evidence, line: &Line<'_>) -> Paid {
    let of = |figures: &Figures| {
        [("one call each", false), ("in bulk", true)]
            .into_iter()
            .filter_map(|(of, bulk)| {
                let (gc, cost, over) = cheapest(figures, &line.gcs, Some(bulk))?;
                Some(Price { of: of.into(), by: Some(gc.into()), value: cost, ratio: over })
            })
            .collect()
    };
    Paid { counted: of(&evidence.figures), timed: of(&evidence.native) }
}
