// SPDX-License-Identifier: MIT OR Apache-2.0
//! The picture for the README: the matrix on a hash and on an LRU hash, a square for each cell.

use maud::{Markup, PreEscaped, html};

use super::page::{Chip, Grid, Mark, Page};

/// The maps that it shows.
const MAPS: [&str; 2] = ["hash", "lru-hash"];

/// Pixels: a square and the space to the next, the names on the left and on top, a line of the legend, between two grids.
const CELL: usize = 17;
const LEFT: usize = 142;
const TOP: usize = 118;
const LINE: usize = 18;
const GAP: usize = 12;
/// What the slanted names take on the right.
const RIGHT: usize = 44;

const STYLE: &str = "
svg { --ink: #1c2127; --soft: #59616b; --safe: #cfe6f5; --safe-ink: #0a4368; --bad: #f9d3bd; --bad-ink: #7f2704;
  --lesser: #f7e7a9; --lesser-ink: #5c4700; --quiet: #e8e7e3; --quiet-ink: #4b5058; --alarm: #5b2a86; --alarm-ink: #fff; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6e9ed; --soft: #a5adb8; --safe: #123f5c; --safe-ink: #c9e8fb; --bad: #6b2a0c; --bad-ink: #ffdcc8;
    --lesser: #54430b; --lesser-ink: #fbe9a6; --quiet: #2a313a; --quiet-ink: #b9c1cb; --alarm: #c9a2f0; --alarm-ink: #1c0b2e; }
}
text { font: 11px system-ui, sans-serif; fill: var(--ink); }
text.map { font-weight: 700; font-size: 13px; } text.soft { fill: var(--soft); }
.safe rect { fill: var(--safe); } .safe text { fill: var(--safe-ink); }
.bad rect { fill: var(--bad); } .bad text { fill: var(--bad-ink); }
.lesser rect { fill: var(--lesser); } .lesser text { fill: var(--lesser-ink); }
.refused rect { fill: var(--quiet); } .refused text { fill: var(--quiet-ink); }
.alarm rect { fill: var(--alarm); } .alarm text { fill: var(--alarm-ink); }
.model-safe rect { fill: none; stroke: var(--safe-ink); stroke-dasharray: 2; stroke-opacity: .45; } .model-safe text { fill: var(--safe-ink); }
.model-bad rect { fill: none; stroke: var(--bad-ink); stroke-dasharray: 2; stroke-opacity: .45; } .model-bad text { fill: var(--bad-ink); }
";

/// The picture, if there is a matrix.
pub fn render(page: &Page) -> Option<String> {
    let grids: Vec<&Grid> =
        MAPS.iter().filter_map(|map| page.matrix.grids.iter().find(|grid| grid.map == *map)).collect();
    let tallest = grids.iter().map(|grid| rows(grid).count()).max()?;
    let below = TOP + tallest * CELL + LINE;
    let marks =
        Mark::ALL.into_iter().filter(|mark| grids.iter().any(|grid| grid.chips().any(|c| c.mark == *mark)));
    let marks: Vec<Mark> = marks.collect();
    let width = grids.iter().map(|grid| width_of(grid) + GAP).sum::<usize>() - GAP;
    let height = below + marks.len().div_ceil(2) * LINE;
    let mut left = 0;
    let placed = grids.iter().map(|grid| {
        let at = left;
        left += width_of(grid) + GAP;
        (at, *grid)
    });
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) }
            role="img" aria-label="Which collectors lose live entries beside which refresh, on hash and on LRU hash maps" {
            style { (PreEscaped(STYLE)) }
            @for (at, grid) in placed { g transform={ "translate(" (at) " 0)" } { (panel(grid)) } }
            @for (i, mark) in marks.iter().enumerate() {
                (legend(*mark, i % 2 * width / 2, below + i / 2 * LINE))
            }
        }
    };
    Some(format!("{}\n", markup.into_string()))
}

fn rows(grid: &Grid) -> impl Iterator<Item = &(String, Vec<Option<Chip>>)> {
    grid.groups.iter().flat_map(|group| &group.rows)
}

fn width_of(grid: &Grid) -> usize {
    LEFT + grid.columns.len() * CELL + RIGHT
}

fn panel(grid: &Grid) -> Markup {
    html! {
        text.map x="0" y="14" { (grid.map) }
        text.soft x="0" y="30" { "gc ↓ · refresh →" }
        @for (i, refresh) in grid.columns.iter().enumerate() {
            text transform={ "translate(" (LEFT + i * CELL + 11) " " (TOP - 6) ") rotate(-62)" } { (refresh) }
        }
        @for (down, (gc, chips)) in rows(grid).enumerate() {
            text x=(LEFT - 6) y=(TOP + down * CELL + 12) text-anchor="end" { (gc) }
            @for (across, chip) in chips.iter().enumerate() {
                @if let Some(chip) = chip { (square(chip.mark, LEFT + across * CELL, TOP + down * CELL)) }
            }
        }
    }
}

fn square(mark: Mark, x: usize, y: usize) -> Markup {
    html! {
        g class=(mark.class()) {
            rect x=(x) y=(y) width=(CELL - 1) height=(CELL - 1) rx="2" {}
            text x=(x + (CELL - 1) / 2) y=(y + 12) text-anchor="middle" { (mark.sign()) }
        }
    }
}

fn legend(mark: Mark, x: usize, y: usize) -> Markup {
    html! { (square(mark, x, y)) text x=(x + CELL + 6) y=(y + 12) { (mark.meaning()) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{made_up, page};

    #[test]
    fn each_cell_is_a_square_and_each_mark_in_the_legend() {
        let page = page(&made_up::inputs());
        let shown = page.matrix.grids.iter().filter(|grid| MAPS.contains(&grid.map.as_str()));
        let chips: Vec<Mark> = shown.flat_map(Grid::chips).map(|chip| chip.mark).collect();
        let picture = render(&page).unwrap();
        let marks = Mark::ALL.iter().filter(|mark| chips.contains(mark)).count();
        assert!(!chips.is_empty());
        assert_eq!(picture.matches("<rect").count(), chips.len() + marks);
    }
}
