// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real connections, as a table.

use evidence::races::{Matrix, below, per_million};

use super::{
    cells::cell,
    environment::Environment,
    numbers::{count, short},
    page::Table,
};

/// One row for each run, or nothing if there was none.
pub fn table(matrix: &Matrix, environment: &Environment) -> Option<Table> {
    let accel = environment.accel.map_or("", |accel| match accel {
        results::Accel::Kvm => ", kvm",
        results::Accel::Tcg => ", tcg",
    });
    let mut table = Table {
        id: "connections-table".into(),
        caption: format!("Connections broken while GC works{accel}"),
        head: [
            "refresh × gc",
            "map",
            "by all evidence",
            "opened",
            "broken",
            "per million",
            "packets dropped",
            "deletes",
            "client errors",
        ]
        .map(Into::into)
        .into(),
        ..Table::default()
    };
    for row in &matrix.rows {
        for run in &row.connections {
            let second = if run.snat { " + source NAT" } else { "" };
            let rate = if run.broken == 0 {
                format!("<{}", short(below(run.opened)))
            } else {
                short(per_million(run.broken, run.opened))
            };
            let errors: Vec<String> =
                run.errors.iter().map(|(name, times)| format!("{name} {}", count(*times))).collect();
            table.rows.push(vec![
                format!("{} × {}", row.cell.refresh, row.cell.gc),
                format!("{}{second}", row.cell.map),
                cell(row).word,
                count(run.opened),
                count(run.broken),
                rate,
                count(run.dropped),
                count(run.deletes),
                if errors.is_empty() { "–".into() } else { errors.join(", ") },
            ]);
        }
    }
    if table.rows.iter().any(|row| row[1].contains('+')) {
        table.notes.push(
            "With source NAT a second map is collected after the first, by key alone where the strategy does so: the model has \
             one map, so what breaks there contradicts no cell."
                .into(),
        );
    }
    (!table.rows.is_empty()).then_some(table)
}
