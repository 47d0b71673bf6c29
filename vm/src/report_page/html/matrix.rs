// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix: gc strategies down, refresh disciplines across, the maps together in a cell.

use maud::{Markup, html};

use super::{badge, not_run, part};
use crate::report_page::{
    cells,
    page::{CellShown, Mark, MatrixPart, Page, Pair},
};

/// The centre of the page.
pub fn section(page: &Page) -> Markup {
    let matrix = &page.matrix;
    let content = html! {
        @if let Some(command) = &matrix.not_run { (not_run(command)) } @else {
            p {
                "Down: what GC does with an entry that has expired. Across: how the datapath refreshes it. A cell holds for "
                (matrix.maps.iter().filter(|map| map.contains("hash")).cloned().collect::<Vec<_>>().join(", "))
                " alike, unless it names one. Each leads to its evidence."
            }
            (grid(matrix))
            (loners(matrix))
            (legend(matrix))
        }
    };
    part("matrix", "The matrix", &content)
}

fn grid(matrix: &MatrixPart) -> Markup {
    html! {
        div.scroll.grid-box tabindex="0" role="region" aria-label="Matrix of gc strategies and refresh disciplines" {
            table.grid {
                caption { "Worst violation of each gc strategy × refresh discipline, and how often per million deletes" }
                thead { tr {
                    th scope="col" { "gc ↓ · refresh →" }
                    @for refresh in &matrix.refreshes { th scope="col" { (refresh) } }
                } }
                @for group in &matrix.groups {
                    tbody {
                        tr.group { th colspan=(matrix.refreshes.len() + 1) scope="rowgroup" { span { (group.title) } } }
                        @for gc in &group.gcs {
                            tr {
                                th scope="row" { (gc) }
                                @for refresh in &matrix.refreshes {
                                    @match matrix.find(refresh, gc) {
                                        Some(pair) => td { (chips(pair)) },
                                        None => td.none { span aria-label="no such combination" { "·" } },
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Cells of the same outcome are one; the others name their maps.
fn chips(pair: &Pair) -> Markup {
    let mut kinds: Vec<(Mark, &str, Vec<&CellShown>)> = Vec::new();
    // Where the model says of one map what all evidence says of another, that is no outcome of its own.
    for cell in &pair.cells {
        match kinds.iter_mut().find(|(_, word, _)| *word == cell.word) {
            Some((mark, _, cells)) => {
                *mark = (*mark).max_evidence(cell.mark);
                cells.push(cell);
            }
            None => kinds.push((cell.mark, &cell.word, vec![cell])),
        }
    }
    let whole = kinds.len() == 1;
    let on = |mark: Mark, cells: &[&CellShown]| {
        let (seen, alone): (Vec<&CellShown>, Vec<&CellShown>) =
            cells.iter().partition(|cell| cell.mark == mark);
        let names =
            |cells: &[&CellShown]| cells.iter().map(|cell| cell.map.as_str()).collect::<Vec<_>>().join(", ");
        match (whole, alone.is_empty()) {
            (true, true) => None,
            (false, true) => Some(names(&seen)),
            (true, false) => Some(format!("{}; others: model", names(&seen))),
            (false, false) => Some(format!("{}; model: {}", names(&seen), names(&alone))),
        }
    };
    html! {
        @for (mark, word, cells) in kinds {
            a class={ "chip " (mark.class()) } href={ "#" (pair.id) } {
                span.sign aria-hidden="true" { (mark.sign()) } " "
                span.word { (word) }
                @if let Some(rate) = cells::highest(&cells) { " " span.rate { (rate) } }
                @if let Some(maps) = on(mark, &cells) { " " span.on { (maps) } }
            }
        }
    }
}

/// Two that only work with each other.
fn loners(matrix: &MatrixPart) -> Markup {
    html! {
        @if matrix.loners().next().is_some() {
            ul.loners {
                @for pair in matrix.loners() {
                    li { span.names { (pair.refresh) " × " (pair.gc) } " " (chips(pair)) }
                }
            }
        }
    }
}

fn legend(matrix: &MatrixPart) -> Markup {
    let seen = |mark: &Mark| matrix.pairs.iter().flat_map(|pair| &pair.cells).any(|cell| cell.mark == *mark);
    html! {
        ul.legend aria-label="Legend" {
            @for mark in Mark::ALL.into_iter().filter(seen) { li { (badge(mark, mark.meaning())) } }
        }
        p.note {
            "A figure is the highest rate per million deletes that the stress counted on any of the maps, under emulation: that it is
            not zero counts, not how large it is. <x: the stress counted none, which leaves fewer than x (3/N, 95 %). Replay: the
            stress did not happen to show it, the schedule of the model did, each time it was replayed in the kernel."
        }
    }
}
