// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is behind each cell: states, schedules, replays, counts.

use maud::{Markup, html};

use super::parts::{badge, not_run, part};
use crate::page::{Page, Pair, Schedule};

/// A fold for each strategy.
pub fn section(page: &Page) -> Markup {
    let matrix = &page.matrix;
    let mut gcs: Vec<&str> = Vec::new();
    for pair in &matrix.pairs {
        if !gcs.contains(&pair.gc.as_str()) {
            gcs.push(&pair.gc);
        }
    }
    let content = html! {
        p {
            "Three kinds for each cell: the model explores every schedule; the witness replays each counter-example in the
            kernel; the stress runs freely. A cell in which two of them contradict each other fails the build. Schedules are those
            that were tried in a kernel; what the model alone has found is in matrix.json."
        }
        @if let Some(command) = &matrix.not_run { (not_run(command)) }
        @for gc in gcs {
            details.evidence {
                summary { code { (gc) } " " (tally(matrix.pairs.iter().filter(|pair| pair.gc == gc))) }
                @for pair in matrix.pairs.iter().filter(|pair| pair.gc == gc) { (block(pair)) }
            }
        }
    };
    part("evidence", "The evidence behind each cell", &content)
}

/// How many cells of each mark.
fn tally<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Markup {
    let mut marks: Vec<_> = pairs.flat_map(|pair| pair.cells.iter().map(|cell| cell.mark)).collect();
    marks.sort_unstable();
    html! {
        span.tally {
            @for group in marks.chunk_by(|a, b| a == b) { (badge(group[0], &group.len().to_string())) " " }
        }
    }
}

fn block(pair: &Pair) -> Markup {
    let native = pair.cells.iter().any(|cell| !cell.native.is_empty());
    html! {
        section.pair id=(pair.id) aria-label={ (pair.refresh) " × " (pair.gc) } {
            h3 { (pair.refresh) " × " (pair.gc) }
            div.scroll tabindex="0" role="region" aria-label={ "Evidence of " (pair.refresh) " × " (pair.gc) } {
                table {
                    thead { tr { th scope="col" { "map" } th scope="col" { "outcome" } th scope="col" { "model" }
                        th scope="col" { "witness" } th scope="col" { "stress" }
                        @if native { th scope="col" { "natively" } } } }
                    tbody { @for cell in &pair.cells {
                        tr {
                            th scope="row" { (cell.map) }
                            td { (badge(cell.mark, &cell.word)) }
                            td { (cell.model) }
                            td { (cell.witness.as_deref().unwrap_or("–")) }
                            td { (cell.stress.as_deref().unwrap_or("–")) }
                            @if native { td { @for said in &cell.native { p { (said) } } } }
                        }
                    } }
                }
            }
            @for note in notes(pair) { p.note { (note) } }
            @for schedule in &pair.schedules { (steps(schedule)) }
        }
    }
}

/// Each once, with the maps that it holds for.
fn notes(pair: &Pair) -> Vec<String> {
    let mut notes: Vec<(&str, Vec<&str>)> = Vec::new();
    for cell in &pair.cells {
        for note in &cell.notes {
            match notes.iter_mut().find(|(known, _)| known == note) {
                Some((_, maps)) => maps.push(&cell.map),
                None => notes.push((note, vec![&cell.map])),
            }
        }
    }
    notes.into_iter().map(|(note, maps)| format!("{}: {note}", maps.join(", "))).collect()
}

fn steps(schedule: &Schedule) -> Markup {
    html! {
        details.schedule {
            summary { "Schedule: " (schedule.violation) " in " (schedule.steps.len()) " steps, " (schedule.maps.join(", ")) }
            ol { @for [actor, function, text] in &schedule.steps {
                li { strong { (actor) } " " (text) @if !function.is_empty() { " " code { (function) } } }
            } }
        }
    }
}
