// SPDX-License-Identifier: MIT OR Apache-2.0
//! The top of the page: what the matrix comes to, and the figures that one remembers.

use results::bench::FlowState;

use super::{
    figures::{BASE, Figures, ratio},
    group::{self, Of},
    page::{Answer, Tile},
    words::{count, many, times, value},
};
use crate::races::{Matrix, Row, Verdict, verdict};

/// The disciplines that are safe with some strategy, each with those, in the order of the matrix.
pub fn safe_disciplines(matrix: &Matrix) -> Vec<(String, Vec<String>)> {
    let mut safe: Vec<(String, Vec<String>)> = Vec::new();
    for row in matrix.rows.iter().filter(|row| verdict(row) == Verdict::Safe) {
        let (refresh, gc) = (&row.cell.refresh, &row.cell.gc);
        match safe.iter_mut().find(|(known, _)| known == refresh) {
            Some((_, gcs)) if gcs.contains(gc) => {}
            Some((_, gcs)) => gcs.push(gc.clone()),
            None => safe.push((refresh.clone(), vec![gc.clone()])),
        }
    }
    safe
}

/// Cells that all evidence speaks of.
fn decided(row: &&Row) -> bool {
    matches!(verdict(row), Verdict::Safe | Verdict::Unsafe(_))
}

/// Safe cells, and all that are decided, of those that `keep` keeps.
fn tally(matrix: &Matrix, keep: impl Fn(&Row) -> bool) -> (usize, usize) {
    let kept: Vec<&Row> = matrix.rows.iter().filter(decided).filter(|row| keep(row)).collect();
    (kept.iter().filter(|row| verdict(row) == Verdict::Safe).count(), kept.len())
}

fn on_hash(row: &Row) -> bool {
    row.cell.map.contains("hash")
}

/// The answer.
pub fn answer(matrix: &Matrix, figures: &Figures) -> Answer {
    let mut answer = Answer { sentence: sentence(matrix), tiles: Vec::new() };
    let tiles = [
        share(
            matrix,
            |row| group::is_ours(&row.cell.gc),
            "cells with BPF_F_COMPARE lose nothing, by all evidence",
        ),
        share(
            matrix,
            |row| on_hash(row) && !group::is_ours(&row.cell.gc),
            "cells without it, on a hash map, lose nothing",
        ),
        connections(matrix),
        operation(figures, "compare hit", "a compare that hits, against a plain delete on the base"),
        operation(figures, "compare batch, all equal", "an element of a compare batch, against the same"),
        live(matrix, figures),
    ];
    answer.tiles.extend(tiles.into_iter().flatten());
    answer
}

fn sentence(matrix: &Matrix) -> String {
    let (safe, all) = tally(matrix, |_| true);
    if matrix.rows.is_empty() {
        return "No race was run yet: `cargo xtask races` fills the matrix.".into();
    }
    if all == 0 {
        return format!(
            "The model explored {}; no kernel was asked yet: `cargo xtask races` does that.",
            many(matrix.rows.len(), "cell")
        );
    }
    let of = |owner: Of| tally(matrix, |row| on_hash(row) && group::owner(&row.cell.gc) == Some(owner)).0;
    let (elsewhere, _) = tally(matrix, |row| !on_hash(row));
    let (store, _) = tally(matrix, |row| row.cell.refresh == "store");
    let plain = if store == 0 { "none".to_owned() } else { store.to_string() };
    format!(
        "Of {} that the model, the witness and the stress agree on, {safe} lose nothing: {} with BPF_F_COMPARE, {} with what \
         the reply names on a hash map, {} with what is done today, {elsewhere} off the hash maps. With the datapath left at \
         plain store, {plain}.",
        many(all, "combination"),
        of(Of::Proposal),
        of(Of::Reply),
        of(Of::Today),
    )
}

fn share(matrix: &Matrix, keep: impl Fn(&Row) -> bool, what: &str) -> Option<Tile> {
    let (safe, all) = tally(matrix, keep);
    (all > 0).then(|| Tile { figure: format!("{safe} of {all}"), what: what.into(), link: "matrix".into() })
}

/// Connections that broke, where the evidence says that entries are lost and where not.
fn connections(matrix: &Matrix) -> Option<Tile> {
    let sum = |safe: bool| {
        let rows = matrix.rows.iter().filter(decided).filter(|row| (verdict(row) == Verdict::Safe) == safe);
        rows.flat_map(|row| &row.connections)
            .fold((0, 0), |(broken, opened), run| (broken + run.broken, opened + run.opened))
    };
    let ((lost, of_lost), (kept, of_kept)) = (sum(false), sum(true));
    (of_lost > 0 && of_kept > 0).then(|| Tile {
        figure: format!("{} : {}", count(lost), count(kept)),
        what: format!(
            "connections broken: of {} through cells that lose entries, of {} through cells that do not",
            count(of_lost),
            count(of_kept)
        ),
        link: "connections".into(),
    })
}

fn operation(figures: &Figures, operation: &str, what: &str) -> Option<Tile> {
    let (ours, base) =
        (figures.of_series(operation, "hash")?, figures.operation("delete hit", "hash", BASE)?);
    let figure = times(ratio(ours, base).ok()?);
    let window = ours.measure.window.map_or_else(String::new, |window| format!(", window {window}"));
    Some(Tile {
        figure,
        what: format!("{what} ({}, {}{window})", ours.measure.unit, ours.origin.accel),
        link: "operations".into(),
    })
}

fn live(matrix: &Matrix, figures: &Figures) -> Option<Tile> {
    let store = figures.packet("store", FlowState::Live)?;
    let (discipline, more) = safe_disciplines(matrix)
        .into_iter()
        .filter_map(|(discipline, _)| {
            let row = figures.packet(&discipline, FlowState::Live)?;
            ratio(row, store).ok()?;
            Some((discipline, row.measure.min - store.measure.min))
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    let sign = if more > 0.0 { "+" } else { "" };
    Some(Tile {
        figure: format!("{sign}{}", value(more)),
        what: format!(
            "{} a packet of a live entry pays with {discipline}, the cheapest safe discipline, against plain store ({})",
            store.measure.unit, store.origin.accel
        ),
        link: "live".into(),
    })
}
