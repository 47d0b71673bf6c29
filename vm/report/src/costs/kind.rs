// SPDX-License-Identifier: MIT OR Apache-2.0
//! What all charts of costs are made with: which rows may share one, and what it says in words.

use results::bench::{Row, Unit};

use crate::{
    comparison::ratio,
    figures::{DELETE, is_ours},
    numbers::{times, value},
    page::Bar,
};

/// All others are put in relation to it.
pub const REFERENCE: &str = DELETE;

/// Units and accels, each pair once: what may share a chart.
pub fn kinds<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<(Unit, &'a str)> {
    let mut kinds: Vec<(Unit, &str)> = Vec::new();
    for row in rows {
        let kind = (row.measure.unit, row.origin.accel.as_str());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The maps of these rows, each once.
pub fn maps<'a>(rows: &[&'a Row]) -> Vec<&'a str> {
    let mut maps: Vec<&str> = Vec::new();
    for row in rows {
        if !maps.contains(&row.measure.map.as_str()) {
            maps.push(&row.measure.map);
        }
    }
    maps
}

/// Whether the row is of that unit and accel.
pub fn is_kind(row: &Row, (unit, accel): (Unit, &str)) -> bool {
    row.measure.unit == unit && row.origin.accel == accel
}

/// A row as a bar; where it may not be compared, without a ratio.
pub fn bar(label: String, row: &Row, reference: Option<&Row>) -> Bar {
    let m = &row.measure;
    Bar {
        label,
        value: m.median,
        least: m.min,
        spread: m.spread,
        n: u64::from(m.n),
        ratio: reference.and_then(|reference| ratio(row, reference).ok()),
        ours: is_ours(row),
    }
}

/// What a bar chart says: its ends, and where its reference is.
pub fn says(bars: &[Bar], reference: Option<&str>) -> String {
    let order = |a: &&Bar, b: &&Bar| a.value.total_cmp(&b.value);
    let (Some(least), Some(most)) = (bars.iter().min_by(order), bars.iter().max_by(order)) else {
        return String::new();
    };
    let with = |bar: &Bar| match bar.ratio {
        Some(ratio) => format!("{} {} ({})", bar.label, value(bar.value), times(ratio)),
        None => format!("{} {}", bar.label, value(bar.value)),
    };
    let to = reference.map_or_else(String::new, |name| format!("; × {name}"));
    format!("From {} to {}{to}.", with(least), with(most))
}
