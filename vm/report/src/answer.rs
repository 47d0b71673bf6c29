// SPDX-License-Identifier: MIT OR Apache-2.0
//! The top of the page: what safety takes, in a paragraph, and the figures that one remembers. It takes no side: what needs
//! no patch and what does are counted by the same rule.

use approaches::Refresh;
use results::bench::FlowState;

use super::{
    figures::Figures,
    kinds::{Evidence, Found},
    numbers::{count, times, value},
    page::{Answer, Patch, Tile},
    safety::{Line, cheapest_packet, cheapest_removal, of},
    words::many,
};

/// So many combinations are named in the first paragraph.
const NAMED: usize = 3;

/// The answer.
pub fn answer(evidence: &Evidence, lines: &[Line<'_>]) -> Answer {
    let (with, without) = (of(lines, Patch::With), of(lines, Patch::Without));
    let mut tiles = Vec::new();
    if decided(evidence) > 0 {
        tiles.push(tile(&without, "without a patch"));
        tiles.push(tile(&with, "with the series"));
    }
    tiles.extend(packet(&evidence.figures, &without, "without a patch"));
    tiles.extend(packet(&evidence.figures, &with, "with the series"));
    tiles.extend(removal(&evidence.figures, &without, "without a patch"));
    tiles.extend(removal(&evidence.figures, &with, "with the series"));
    tiles.extend(connections(evidence));
    Answer { sentence: sentence(evidence, &with, &without), tiles }
}

/// Cells of which more is known than what the model says.
fn decided(evidence: &Evidence) -> usize {
    let known = |found| matches!(found, Found::Safe | Found::Unsafe(_) | Found::Contradicted(..));
    evidence.cells().into_iter().filter(|cell| evidence.found(cell).is_some_and(known)).count()
}

fn sentence(evidence: &Evidence, with: &[&Line<'_>], without: &[&Line<'_>]) -> String {
    let (cells, decided) = (evidence.cells().len(), decided(evidence));
    if cells == 0 {
        return "No race was run yet: `cargo xtask races` fills the matrix.".into();
    }
    if decided == 0 {
        return format!(
            "The model explored {}; no kernel was asked yet: `cargo xtask races` does that.",
            many(cells, "cell")
        );
    }
    let safe = |lines: &[&Line<'_>]| lines.iter().map(|line| line.cells().len()).sum::<usize>();
    let suffices = match without {
        [] => "By this evidence no combination without a kernel patch is safe.".to_owned(),
        lines => {
            let named: Vec<String> = lines.iter().take(NAMED).map(|line| line.words()).collect();
            let more = lines.len().saturating_sub(NAMED);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            format!("Without a kernel patch these suffice: {}{more}.", named.join("; "))
        }
    };
    let takes = if with.is_empty() && without.is_empty() {
        ""
    } else {
        " What each of them takes is in the table below: who has to cooperate, what a packet pays, what is given up."
    };
    format!(
        "Of {} tried in a kernel, {} lose nothing without a patch and {} with the series. {suffices}{takes}",
        many(decided, "cell"),
        safe(without),
        safe(with),
    )
}

fn tile(lines: &[&Line<'_>], whose: &str) -> Tile {
    Tile {
        figure: lines.len().to_string(),
        what: format!(
            "combinations that lose nothing {whose}, a discipline with one family of collectors each"
        ),
        link: "safety".into(),
    }
}

fn packet(figures: &Figures, lines: &[&Line<'_>], whose: &str) -> Option<Tile> {
    let (refresh, cost) = cheapest_packet(figures, lines)?;
    let row = figures.packet(refresh, FlowState::Live)?;
    let store =
        figures.packet(Refresh::Store.name, FlowState::Live).filter(|store| store.measure.min > 0.0)?;
    Some(Tile {
        figure: times(cost / store.measure.min),
        what: format!(
            "a packet of a live flow against plain store, at its cheapest {whose}: {refresh} ({}, {})",
            row.measure.unit, row.origin.accel
        ),
        link: "safety".into(),
    })
}

fn removal(figures: &Figures, lines: &[&Line<'_>], whose: &str) -> Option<Tile> {
    let (gc, cost) = cheapest_removal(figures, lines)?;
    let row = figures.round(gc)?;
    Some(Tile {
        figure: value(cost),
        what: format!(
            "{} to remove an entry, at its cheapest {whose}: {gc} ({})",
            row.measure.unit, row.origin.accel
        ),
        link: "safety".into(),
    })
}

/// Connections that broke, where the evidence says that entries are lost and where not.
fn connections(evidence: &Evidence) -> Option<Tile> {
    let sum = |safe: bool| {
        let rows = evidence.emulated.rows.iter().filter(|row| match evidence.found(&row.cell) {
            Some(Found::Safe) => safe,
            Some(Found::Unsafe(_) | Found::Contradicted(..)) => !safe,
            _ => false,
        });
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
