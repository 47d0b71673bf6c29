// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix: for each map a table, gc strategies down, refresh disciplines across. What ran natively has tables of its own.

use maud::{Markup, html};

use super::parts::{badge, not_run, part, table};
use crate::page::{Chip, Grid, Mark, Page};

/// Model, witness and stress, under emulation.
pub fn section(page: &Page) -> Markup {
    let matrix = &page.matrix;
    let content = html! {
        @if let Some(command) = &matrix.not_run { (not_run(command)) } @else {
            p {
                "Down: what a collector does with an entry that has expired. Across: how the datapath refreshes it. One table for
                each type of map: "
                @for grid in &matrix.grids { a href={ "#" (grid.id) } { (grid.map) } ". " }
                "Each cell leads to its evidence."
            }
            (legend(&matrix.grids))
            @for (i, grid) in matrix.grids.iter().enumerate() { (fold(grid, i == 0, "Matrix on ")) }
        }
    };
    part("matrix", "The matrix, by map", &content)
}

/// Kernels as they are.
pub fn native(page: &Page) -> Markup {
    let native = &page.native;
    let content = html! {
        p {
            "The programs of the lab run on a kernel as it is: no patch, no virtual machine, no emulator, real caches and a real
            memory model. None of it is added to what was emulated."
        }
        @if let Some(command) = &native.not_run { (not_run(command)) }
        @if let Some(kernels) = &native.kernels { (table(kernels)) }
        @if !native.grids.is_empty() {
            p { "The tables are of " b { (native.machine) } ". None: nothing was counted, which leaves fewer than the bound (10/N, 95 %)." }
            @for grid in &native.grids { (fold(grid, false, "Natively on ")) }
        }
    };
    part("natively", "Natively, on kernels as they are", &content)
}

fn fold(grid: &Grid, open: bool, what: &str) -> Markup {
    let mut marks: Vec<Mark> = grid.chips().map(|chip| chip.mark).collect();
    marks.sort_unstable();
    html! {
        details.map id=(grid.id) open[open] {
            summary {
                strong { (grid.map) } " "
                span.tally { @for group in marks.chunk_by(|a, b| a == b) { (badge(group[0], &group.len().to_string())) " " } }
            }
            (self::grid(grid, what))
        }
    }
}

fn grid(grid: &Grid, what: &str) -> Markup {
    let caption = format!("{what}{}: worst violation, and how often per million deletes", grid.map);
    html! {
        div.scroll.tall.grid-box tabindex="0" role="region" aria-label=(caption) {
            table.grid {
                caption { (caption) }
                thead { tr {
                    th scope="col" { "gc ↓ · refresh →" }
                    @for refresh in &grid.columns { th scope="col" { (refresh) } }
                } }
                @for group in &grid.groups {
                    tbody {
                        tr.group { th colspan=(grid.columns.len() + 1) scope="rowgroup" { span { (group.title) } } }
                        @for (gc, chips) in &group.rows {
                            tr {
                                th scope="row" { (gc) }
                                @for cell in chips {
                                    @match cell {
                                        Some(cell) => td { (chip(cell)) },
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

fn chip(chip: &Chip) -> Markup {
    html! {
        a class={ "chip " (chip.mark.class()) } href={ "#" (chip.link) } {
            span.sign aria-hidden="true" { (chip.mark.sign()) } " "
            span.word { (chip.word) }
            @if chip.more > 0 { span.more { " +" (chip.more) } }
            @if let Some(rate) = &chip.rate { " " span.rate { (rate) } }
        }
    }
}

fn legend(grids: &[Grid]) -> Markup {
    let seen = |mark: &Mark| grids.iter().flat_map(Grid::chips).any(|chip| chip.mark == *mark);
    html! {
        ul.legend aria-label="Legend" { @for mark in Mark::ALL.into_iter().filter(seen) { li { (badge(mark, mark.meaning())) } } }
        p.note {
            "A figure is the rate per million deletes that the stress counted, under emulation: that it is not zero counts, not
            how large it is. <x: the stress counted none, which leaves fewer than x (10/N, 95 %). Replay: the stress did not happen
            to show it, the schedule of the model did, each time it was replayed in the kernel. +n: n more kinds go wrong."
        }
    }
}
