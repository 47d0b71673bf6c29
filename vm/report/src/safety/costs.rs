// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a line costs: a packet beside plain store, a removal beside a plain delete by key. Counted and timed figures are told
//! apart, and none is put in relation to one of the other kind.

use approaches::{Form, Gc, Refresh};
use results::bench::{FlowState, Group, Job, Row};

use super::line::Line;
use crate::{
    catalogue,
    comparison::{comparable, ratio},
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

/// Whether one call removes many. Where the catalogue does not say, the calls that were counted do.
fn is_bulk(gc: &str, job: &Job) -> bool {
    match catalogue::form(gc) {
        Some(form) => form != Form::Single,
        None => job.system_calls < job.removed,
    }
}

/// A strategy's round of the size of the plain delete's, with what a removal costs.
fn round<'a>(figures: &'a Figures, gc: &str) -> Option<(&'a Row, &'a Job)> {
    let bare = gc.split('+').next().unwrap_or(gc);
    let row = figures.round(gc).or_else(|| figures.round(bare))?;
    let job = row.measure.job.as_ref().filter(|job| job.per_entry_removed > 0.0)?;
    Some((row, job))
}

/// The cheapest removal of some strategies, with its ratio to a plain delete in a round of the same size.
fn cheapest<'a>(
    figures: &Figures,
    gcs: &[&'a str],
    bulk: Option<bool>,
) -> Option<(&'a str, f64, Option<f64>)> {
    let (gc, row, job) = gcs
        .iter()
        .filter_map(|gc| round(figures, gc).map(|(row, job)| (*gc, row, job)))
        .filter(|(gc, _, job)| bulk.is_none_or(|bulk| bulk == is_bulk(gc, job)))
        .min_by(|a, b| a.2.per_entry_removed.total_cmp(&b.2.per_entry_removed))?;
    let over = round(figures, Gc::Blind.name)
        .filter(|(plain, plain_job)| {
            let size = |job: &Job| (job.entries, job.expired_percent);
            size(plain_job) == size(job) && comparable(row, plain).is_ok()
        })
        .map(|(_, plain)| job.per_entry_removed / plain.per_entry_removed);
    Some((gc, job.per_entry_removed, over))
}

/// Of several lines, the one whose packet of a live flow is the cheapest, with what it costs.
pub fn cheapest_packet<'a>(figures: &Figures, lines: &[&Line<'a>]) -> Option<(&'a str, f64)> {
    lines
        .iter()
        .filter_map(|line| {
            let row = figures.packet_on(line.refresh, FlowState::Live, &line.maps)?;
            Some((line.refresh, row.measure.min))
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))
}

/// Of several lines, the column whose removal is the cheapest, with what it costs.
pub fn cheapest_removal<'a>(figures: &Figures, lines: &[&Line<'a>]) -> Option<(&'a str, f64)> {
    let gcs: Vec<&'a str> = lines.iter().flat_map(|line| line.gcs.iter().copied()).collect();
    cheapest(figures, &gcs, None).map(|(gc, cost, _)| (gc, cost))
}
