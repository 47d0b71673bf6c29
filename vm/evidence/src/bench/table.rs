// SPDX-License-Identifier: MIT OR Apache-2.0
//! The figures for a terminal: kernels across, what was measured down.

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use results::bench::{Group, Record, Row};

/// All tables of a record, one after the other.
pub fn tables(record: &Record) -> String {
    let mut all: Vec<String> = Vec::new();
    let kernels = kernels(&record.rows);
    for (group, title) in [(Group::Operation, "operation"), (Group::Datapath, "packet")] {
        let rows: Vec<&Row> = record.rows.iter().filter(|row| row.measure.group == group).collect();
        if let Some(unit) = rows.first().map(|row| row.measure.unit) {
            all.push(format!("{unit} for each {title}, least of several\n{}", across(&rows, &kernels)));
        }
    }
    if record.rows.iter().any(|row| row.measure.job.is_some()) {
        all.push(jobs(&record.rows));
    }
    if record.rows.iter().any(|row| row.measure.contention.is_some()) {
        all.push(contention(&record.rows));
    }
    if !record.ratios.is_empty() {
        let mut table = table(&["compared", "ratio", "goal", "reached"]);
        for ratio in &record.ratios {
            let goal = ratio.goal.map_or(String::new(), |goal| format!("≤ {goal:.2}"));
            let reached = ratio.reached.map_or("", |reached| if reached { "yes" } else { "NO" });
            table.add_row([
                left(&ratio.what),
                right(format!("{:.3}", ratio.ratio)),
                right(goal),
                left(reached),
            ]);
        }
        all.push(table.to_string());
    }
    for profile in &record.profiles {
        let window = profile.window.map_or(String::new(), |bytes| format!(", window {bytes}"));
        let mut table = table(&["function", "instructions", "entered"]);
        for spent in &profile.functions {
            table.add_row([left(&spent.function), right(spent.instructions), right(spent.calls)]);
        }
        let (operation, map, kernel) = (&profile.operation, &profile.map, &profile.kernel);
        all.push(format!(
            "{operation}{window}, {map}, {kernel}: {} instructions in the kernel\n{table}",
            profile.instructions
        ));
    }
    all.join("\n\n")
}

fn kernels(rows: &[Row]) -> Vec<String> {
    let mut kernels: Vec<String> = Vec::new();
    for row in rows {
        if !kernels.contains(&row.origin.kernel) {
            kernels.push(row.origin.kernel.clone());
        }
    }
    kernels
}

/// A line for each thing measured, a column for each kernel.
fn across(rows: &[&Row], kernels: &[String]) -> Table {
    let mut heads = vec!["map", "what", "window"];
    heads.extend(kernels.iter().map(String::as_str));
    let mut table = table(&heads);
    let mut lines: Vec<(String, String, String)> = Vec::new();
    for row in rows {
        let line = line(row);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    for wanted in lines {
        let figures = kernels.iter().map(|kernel| {
            let found = rows.iter().find(|row| row.origin.kernel == *kernel && line(row) == wanted);
            right(found.map_or(String::new(), |row| figure(row.measure.min, row.measure.elements)))
        });
        let (map, what, window) = &wanted;
        let cells: Vec<Cell> = [left(map), left(what), right(window)].into_iter().chain(figures).collect();
        table.add_row(cells);
    }
    table
}

fn line(row: &Row) -> (String, String, String) {
    let measure = &row.measure;
    let what = match &measure.packet {
        Some(packet) => format!("{} {:?}", packet.discipline, packet.state).to_lowercase(),
        None => measure.operation.clone(),
    };
    (measure.map.clone(), what, measure.window.map_or(String::new(), |bytes| bytes.to_string()))
}

fn figure(value: f64, elements: u64) -> String {
    if elements > 1 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn jobs(rows: &[Row]) -> String {
    let heads = [
        "strategy",
        "kernel",
        "entries",
        "expired",
        "a look",
        "a removal",
        "system calls",
        "map KiB",
        "gc KiB",
    ];
    let mut table = table(&heads);
    for row in rows {
        let Some(job) = &row.measure.job else { continue };
        table.add_row([
            left(&job.strategy),
            left(&row.origin.kernel),
            right(job.entries),
            right(format!("{} %", job.expired_percent)),
            right(format!("{:.1}", job.per_entry_looked_at)),
            right(format!("{:.1}", job.per_entry_removed)),
            right(job.system_calls),
            right(job.map_bytes / 1024),
            right(job.gc_bytes.div_ceil(1024)),
        ]);
    }
    let unit = rows.first().map_or(String::new(), |row| row.measure.unit.to_string());
    format!("GC of a whole map, {unit}\n{table}")
}

fn contention(rows: &[Row]) -> String {
    let heads =
        ["packets", "beside gc", "kernel", "a packet", "alone", "ratio", "a removal", "alone", "ratio"];
    let mut table = table(&heads);
    for row in rows {
        let Some(of) = &row.measure.contention else { continue };
        table.add_row([
            left(&of.discipline),
            left(&of.strategy),
            left(&row.origin.kernel),
            right(format!("{:.1}", row.measure.median)),
            right(format!("{:.1}", of.packet_alone)),
            right(format!("{:.2}", of.packet_ratio)),
            right(format!("{:.0}", of.removal)),
            right(format!("{:.0}", of.removal_alone)),
            right(format!("{:.2}", of.removal_ratio)),
        ]);
    }
    format!("Packets on one CPU, GC on another, ns, medians\n{table}")
}

fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(heads);
    table
}

fn left(text: impl Into<Cell>) -> Cell {
    text.into()
}

fn right(text: impl Into<Cell>) -> Cell {
    text.into().set_alignment(CellAlignment::Right)
}
