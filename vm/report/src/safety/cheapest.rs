// SPDX-License-Identifier: MIT OR Apache-2.0
//! What costs the least: of several columns a removal, of several lines a packet or a removal.

use approaches::{Form, Gc};
use results::bench::{FlowState, Job, Row};

use super::line::Line;
use crate::{catalogue, comparison::comparable, figures::Figures};

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
pub fn cheapest<'a>(
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
