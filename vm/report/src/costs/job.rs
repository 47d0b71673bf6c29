// SPDX-License-Identifier: MIT OR Apache-2.0
//! A round of GC over a whole map, and how its cost grows.

use results::bench::{Group, Job, Row, Unit};

use super::kind::{is_kind, kinds};
use crate::{
    catalogue,
    figures::Figures,
    numbers::{count, value},
    page::{Chart, CostPart, Curve, Plot, Table},
};

/// The charts.
pub fn part(figures: &Figures) -> CostPart {
    let rows: Vec<&Row> = figures.group(Group::Job).collect();
    let mut charts = Vec::new();
    let mut tables = Vec::new();
    for kind in kinds(rows.iter().copied()) {
        let rows: Vec<&Row> = rows.iter().copied().filter(|row| is_kind(row, kind)).collect();
        let rows = of_one_kernel(figures, &rows);
        let mut percents: Vec<u32> =
            rows.iter().filter_map(|row| row.measure.job.as_ref()).map(|job| job.expired_percent).collect();
        percents.sort_unstable_by(|a, b| b.cmp(a));
        percents.dedup();
        let first = charts.len();
        for percent in &percents {
            charts.extend(curves(&rows, *percent, kind, "removed", |job| job.per_entry_removed));
        }
        if let Some(percent) = percents.first() {
            charts.extend(curves(&rows, *percent, kind, "looked at", |job| job.per_entry_looked_at));
        }
        // The others vary the first.
        charts.iter_mut().skip(first + 1).for_each(|chart: &mut Chart| chart.folded = true);
        tables.extend(resources(&rows, kind));
    }
    CostPart {
        id: "job".into(),
        title: "The whole job: a round of GC over a conntrack map".into(),
        about: "Snapshot, decide, remove. Both axes are logarithmic: a level curve means that the cost of an entry does not grow \
                with the map. Grey are the other strategies."
            .into(),
        charts,
        tables,
    }
}

/// Each strategy on one kernel: that which speaks for it.
fn of_one_kernel<'a>(figures: &Figures, rows: &[&'a Row]) -> Vec<&'a Row> {
    let strategy = |row: &Row| row.measure.job.as_ref().map(|job| job.strategy.clone());
    let best = |row: &Row| {
        let same = rows.iter().filter(|other| strategy(other) == strategy(row));
        same.min_by_key(|other| figures.rank(other)).map(|row| row.origin.kernel.as_str())
    };
    rows.iter().copied().filter(|row| best(row) == Some(row.origin.kernel.as_str())).collect()
}

fn curves(rows: &[&Row], percent: u32, kind: (Unit, &str), what: &str, of: fn(&Job) -> f64) -> Option<Chart> {
    let mut curves: Vec<Curve> = Vec::new();
    for row in rows {
        let Some(job) = row.measure.job.as_ref().filter(|job| job.expired_percent == percent) else {
            continue;
        };
        #[allow(clippy::cast_precision_loss, reason = "entries of a map")]
        let point = [job.entries as f64, of(job)];
        match curves.iter_mut().find(|curve| curve.label == job.strategy) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve {
                label: job.strategy.clone(),
                points: vec![point],
                ours: catalogue::is_proposal(&job.strategy),
            }),
        }
    }
    for curve in &mut curves {
        curve.points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        // Nothing below zero or zero has a place on a logarithmic axis.
        curve.points.retain(|point| point[1] > 0.0);
    }
    curves.retain(|curve| !curve.points.is_empty());
    let last = |curve: &Curve| curve.points.last().map_or(0.0, |point| point[1]);
    let (least, most) = (
        curves.iter().min_by(|a, b| last(a).total_cmp(&last(b)))?,
        curves.iter().max_by(|a, b| last(a).total_cmp(&last(b)))?,
    );
    let says = format!(
        "On the largest map, from {} {} to {} {}.",
        least.label,
        value(last(least)),
        most.label,
        value(last(most))
    );
    Some(Chart {
        id: format!("job-{}-{percent}-{}-{}", what.replace(' ', "-"), kind.0, kind.1),
        title: format!("For each entry {what}, {percent} % expired"),
        unit: format!("{} for each entry {what}", kind.0),
        accel: kind.1.into(),
        says,
        plot: Plot::Curves { x: "entries".into(), curves },
        folded: false,
    })
}

/// System calls and memory of the largest round of each strategy.
fn resources(rows: &[&Row], kind: (Unit, &str)) -> Option<Table> {
    let mut strategies: Vec<&str> = Vec::new();
    for job in rows.iter().filter_map(|row| row.measure.job.as_ref()) {
        if !strategies.contains(&job.strategy.as_str()) {
            strategies.push(&job.strategy);
        }
    }
    let mut table = Table {
        id: format!("resources-{}-{}", kind.0, kind.1),
        caption: "The largest round of each strategy: system calls and memory".into(),
        head: ["strategy", "entries", "removed", "system calls", "map, KiB", "GC, KiB"]
            .map(Into::into)
            .into(),
        ..Table::default()
    };
    for strategy in strategies {
        let jobs =
            rows.iter().filter_map(|row| row.measure.job.as_ref()).filter(|job| job.strategy == strategy);
        let Some(job) = jobs.max_by_key(|job| (job.expired_percent, job.entries)) else { continue };
        table.rows.push(vec![
            strategy.into(),
            count(job.entries),
            count(job.removed),
            count(job.system_calls),
            count(job.map_bytes / 1024),
            count(job.gc_bytes / 1024),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}
