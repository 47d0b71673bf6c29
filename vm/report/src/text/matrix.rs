// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix in text: sixteen disciplines in 72 columns, so a cell is a letter or two, and a discipline is a letter as well.

use super::lines::{grid, head, item, not_run, paragraph};
use crate::page::{Chip, Grid, Mark, Page};

/// So many disciplines stand side by side.
const COLUMNS: usize = 16;

/// A table for each map; maps of the same outcomes share one.
pub fn write(out: &mut String, page: &Page) {
    head(out, "Refresh x gc", '-');
    match &page.matrix.not_run {
        Some(command) => not_run(out, command),
        None => {
            grids(out, &page.matrix.grids);
            paragraph(
                out,
                "ok: no schedule in the model, none counted by the stress. L lost refresh, S stray write, F foreign value, T \
                 stale restore, G gap, D double delete, N never removed: what model, witness and stress show. o, and small \
                 letters: the model alone. -: refused by the kernel. !: evidence disagrees or is missing.",
            );
        }
    }
    head(out, "Natively, on kernels as they are", '-');
    if let Some(command) = &page.native.not_run {
        not_run(out, command);
    }
    if let Some(kernels) = &page.native.kernels {
        // Too many columns for a mail: a sentence for each kernel.
        for row in &kernels.rows {
            let facts = kernels.head.iter().zip(row).skip(1).map(|(head, cell)| format!("{head} {cell}"));
            item(out, &format!("{}: {}", row[0], facts.collect::<Vec<_>>().join(", ")));
        }
        out.push('\n');
    }
    if !page.native.grids.is_empty() {
        grids(out, &page.native.grids);
        paragraph(out, &format!("On {}. ok: none was counted. Letters as above.", page.native.machine));
    }
}

/// A cell.
fn code(chip: &Chip) -> String {
    let letter = match chip.word.as_str() {
        "stale" => "T".into(),
        "stays" => "N".into(),
        word => word.chars().next().unwrap_or('?').to_uppercase().to_string(),
    };
    match chip.mark {
        Mark::Safe => "ok".into(),
        Mark::ModelSafe => "o".into(),
        Mark::Refused => "-".into(),
        Mark::ModelBad => letter.to_lowercase(),
        Mark::Lesser | Mark::Bad => letter,
        Mark::Alarm => "!".into(),
    }
}

/// A letter for the nth discipline.
fn letter(n: usize) -> String {
    u8::try_from(n % 26).map_or_else(|_| "?".into(), |n| char::from(b'a' + n).to_string())
}

type Rows = Vec<Vec<String>>;

fn grids(out: &mut String, grids: &[Grid]) {
    let mut tables: Vec<(Vec<&str>, &[String], Rows)> = Vec::new();
    for grid in grids {
        for (n, columns) in grid.columns.chunks(COLUMNS).enumerate() {
            let cells = |chips: &[Option<Chip>]| -> Vec<String> {
                let here = chips.iter().skip(n * COLUMNS).take(columns.len());
                here.map(|chip| chip.as_ref().map(code).unwrap_or_default()).collect()
            };
            let rows: Rows = grid
                .groups
                .iter()
                .flat_map(|group| &group.rows)
                .map(|(gc, chips)| [vec![gc.clone()], cells(chips)].concat())
                .filter(|row| row[1..].iter().any(|cell| !cell.is_empty()))
                .collect();
            match tables.iter_mut().find(|(_, known, same)| *known == columns && *same == rows) {
                Some((maps, ..)) => maps.push(&grid.map),
                None => tables.push((vec![&grid.map], columns, rows)),
            }
        }
    }
    for (maps, columns, rows) in tables {
        let names: Vec<String> =
            columns.iter().enumerate().map(|(n, name)| format!("{} {name}", letter(n))).collect();
        paragraph(out, &format!("{}: {}", maps.join(", "), names.join(", ")));
        let heads: Vec<String> =
            std::iter::once("gc".to_owned()).chain((0..columns.len()).map(letter)).collect();
        grid(out, &heads, &rows);
        out.push('\n');
    }
}
