// SPDX-License-Identifier: MIT OR Apache-2.0
//! One operation, or one element of a batch: what is drawn beside what is data.

use results::bench::{Group, Row, Unit};

use super::kind::{REFERENCE, bar, is_kind, kinds, maps, says};
use crate::{
    comparison::ratio,
    figures::{BASE, Figures, NATIVE},
    numbers::value,
    page::{Bar, Chart, CostPart, Plot, Table},
};

/// A chart of operations: on each map one, with the rows of these operations.
struct Line {
    id: &'static str,
    title: &'static str,
    /// On the base, by name.
    base: &'static [&'static str],
    /// On every other kernel.
    series: &'static [&'static str],
}

/// What one removal costs, and what the window does to it.
const OPERATIONS: &[Line] = &[
    Line {
        id: "remove",
        title: "Removing one expired entry",
        base: &[
            "delete hit",
            "look-up + delete",
            "lookup_and_delete",
            "delete batch",
            "program, one key",
            "program, array of keys",
        ],
        series: &[
            "compare hit",
            "compare batch, all equal",
            "bpf_sys_bpf, one key",
            "bpf_sys_bpf, array of keys",
            "kfunc, one key",
            "kfunc, array of keys",
        ],
    },
    Line {
        id: "keep",
        title: "Keeping an entry that was refreshed, or is gone",
        base: &["delete miss"],
        series: &["compare mismatch", "compare absent", "compare batch, half differ"],
    },
    Line {
        id: "renew",
        title: "Giving an entry a new value",
        base: &["update existing", "update batch"],
        series: &[
            "compare-and-update hit",
            "compare-and-update differs",
            "compare-and-update batch, all equal",
            "kfunc update, one key",
            "kfunc update, array of keys",
        ],
    },
];

/// What nobody who does not use the proposal may pay for.
const UNCHANGED: [&str; 7] = [
    "look-up",
    "update existing",
    "delete hit",
    "delete miss",
    "lookup_and_delete",
    "delete batch",
    "update batch",
];

/// The charts.
pub fn part(figures: &Figures) -> CostPart {
    let rows: Vec<&Row> = figures.group(Group::Operation).collect();
    let mut charts = Vec::new();
    let mut tables = Vec::new();
    for kind in kinds(rows.iter().copied()) {
        let rows: Vec<&Row> = rows.iter().copied().filter(|row| is_kind(row, kind)).collect();
        for line in OPERATIONS {
            for map in maps(&rows).into_iter().filter(|map| map.contains("hash")) {
                charts.extend(operation_chart(line, &rows, map, kind));
            }
        }
        for map in maps(&rows) {
            charts.extend(others(&rows, map, kind));
        }
        tables.extend(unchanged(figures, &rows, kind));
    }
    CostPart {
        id: "operations".into(),
        title: "One operation, or one element of a batch".into(),
        about: "Without what the measuring itself costs. × is the least of each over the least of a plain delete that hits, \
                on the base without the series; blue takes the series. The whisker is as long as the quartiles are apart."
            .into(),
        charts,
        tables,
    }
}

/// The rows of a chart, in the order of its line. An operation that takes the series is shown on one kernel: the first that
/// has it.
fn drawn<'a>(line: &Line, rows: &[&'a Row], map: &str) -> Vec<&'a Row> {
    let of = |operation: &str, map: &str, plain: bool| {
        let wanted = |row: &&Row| {
            row.measure.operation == operation
                && row.measure.map == map
                && plain == [BASE, NATIVE].contains(&row.origin.kernel.as_str())
        };
        rows.iter().copied().filter(wanted).collect::<Vec<&Row>>()
    };
    let mut drawn = Vec::new();
    for operation in line.base {
        drawn.extend(of(operation, map, true));
    }
    for operation in line.series {
        let all = of(operation, map, false);
        let first = all.first().map(|row| row.origin.kernel.clone());
        drawn.extend(all.into_iter().filter(|row| Some(&row.origin.kernel) == first.as_ref()));
    }
    // An arena is no map of the kernel's: one row stands for all kernels.
    if line.id == "remove" && map == "hash" {
        drawn.extend(rows.iter().copied().find(|row| row.measure.map == "arena"));
    }
    drawn
}

/// What no other chart or table of this part shows: nothing that was measured is left out.
fn others(rows: &[&Row], map: &str, kind: (Unit, &str)) -> Option<Chart> {
    // The arena is drawn beside the hash map.
    let shown: Vec<&Row> = OPERATIONS
        .iter()
        .flat_map(|line| [drawn(line, rows, map), drawn(line, rows, "hash")].concat())
        .collect();
    let in_table = |row: &Row| {
        let base = |other: &&Row| {
            let same = other.measure.operation == row.measure.operation && other.measure.map == map;
            same && other.origin.kernel == BASE
        };
        UNCHANGED.contains(&row.measure.operation.as_str()) && rows.iter().any(base)
    };
    let bars: Vec<Bar> = rows
        .iter()
        .filter(|row| row.measure.map == map && !in_table(row))
        .filter(|row| !shown.iter().any(|known| std::ptr::eq(*known, **row)))
        .map(|row| {
            let window = row.measure.window.map_or_else(String::new, |window| format!(", {window} bytes"));
            bar(format!("{}{window} · {}", row.measure.operation, row.origin.kernel), row, None)
        })
        .collect();
    (!bars.is_empty()).then(|| Chart {
        id: format!("others-{map}-{}-{}", kind.0, kind.1),
        title: format!(
            "Everything else that was measured, {}",
            if map == "-" { "without a map" } else { map }
        ),
        unit: kind.0.to_string(),
        accel: kind.1.into(),
        says: says(&bars, None),
        plot: Plot::Bars { reference: None, bars },
        folded: true,
    })
}

fn operation_chart(line: &Line, rows: &[&Row], map: &str, kind: (Unit, &str)) -> Option<Chart> {
    // Natively there is no base: the host's own kernel is.
    let reference = rows.iter().copied().find(|row| {
        row.measure.map == map
            && row.measure.operation == REFERENCE
            && [BASE, NATIVE].contains(&row.origin.kernel.as_str())
    });
    let bars: Vec<Bar> = drawn(line, rows, map)
        .into_iter()
        .map(|row| {
            let window = row.measure.window.map_or_else(String::new, |window| format!(", {window} bytes"));
            let on = if row.measure.map == map { &row.origin.kernel } else { &row.measure.map };
            bar(format!("{}{window} · {on}", row.measure.operation), row, reference)
        })
        .collect();
    if bars.is_empty() {
        return None;
    }
    let name = reference.map(|row| format!("{REFERENCE} · {}", row.origin.kernel));
    Some(Chart {
        id: format!("{}-{map}-{}-{}", line.id, kind.0, kind.1),
        title: format!("{}, {map}", line.title),
        unit: kind.0.to_string(),
        accel: kind.1.into(),
        says: says(&bars, name.as_deref()),
        plot: Plot::Bars { reference: name.zip(reference.map(|row| row.measure.min)), bars },
        folded: map != "hash",
    })
}

/// Base and each other kernel side by side, for operations that the series must not make dearer.
fn unchanged(figures: &Figures, rows: &[&Row], kind: (Unit, &str)) -> Option<Table> {
    let mut kernels: Vec<&str> = Vec::new();
    for row in rows {
        let kernel = row.origin.kernel.as_str();
        if kernel != BASE && kernel != NATIVE && !kernels.contains(&kernel) {
            kernels.push(kernel);
        }
    }
    let mut table = Table {
        id: format!("unchanged-{}-{}", kind.0, kind.1),
        caption: format!("What those pay who do not use it, {}, {}", kind.0, kind.1),
        head: vec!["operation".into(), "map".into(), BASE.into()],
        ..Table::default()
    };
    for kernel in &kernels {
        table.head.extend([(*kernel).to_owned(), format!("{kernel} ÷ {BASE}")]);
    }
    for map in maps(rows).into_iter().filter(|map| map.contains("hash")) {
        for operation in UNCHANGED {
            let Some(base) = figures.operation(operation, map, BASE).filter(|row| is_kind(row, kind)) else {
                continue;
            };
            let mut line = vec![operation.to_owned(), map.to_owned(), value(base.measure.min)];
            for kernel in &kernels {
                let row = figures.operation(operation, map, kernel);
                line.push(row.map_or_else(|| "–".into(), |row| value(row.measure.min)));
                line.push(row.map_or_else(
                    || "–".into(),
                    |row| ratio(row, base).map_or_else(|_| "not compared".into(), |r| format!("{r:.3}")),
                ));
            }
            table.rows.push(line);
        }
    }
    (!table.rows.is_empty() && !kernels.is_empty()).then_some(table)
}
