// SPDX-License-Identifier: MIT OR Apache-2.0
//! From rows to charts. Rows of another unit or accel make a chart of their own.

mod contention;
mod datapath;
mod job;
mod kind;
mod operations;
mod surviving;

use super::{figures::Figures, page::CostPart, words::many};

/// All parts that there are figures for.
pub fn parts(figures: &Figures) -> Vec<CostPart> {
    [operations::part(figures), datapath::part(figures), job::part(figures)]
        .into_iter()
        .filter(|part| !part.charts.is_empty() || !part.tables.is_empty())
        .chain(contention::part(figures, ""))
        .collect()
}

/// What was measured on the host's own kernel.
pub fn natively(native: &Figures, emulated: &Figures) -> Vec<CostPart> {
    operations::native(native, emulated).into_iter().chain(contention::part(native, "-native")).collect()
}

/// What was not measured, in sentences: the same reason once.
pub fn skipped(figures: &Figures) -> Vec<String> {
    let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
    for skipped in &figures.skipped {
        let what = format!("{} ({})", skipped.what, skipped.kernel);
        match by_reason.iter_mut().find(|(known, _)| *known == skipped.reason) {
            Some((_, whats)) => whats.push(what),
            None => by_reason.push((&skipped.reason, vec![what])),
        }
    }
    by_reason
        .into_iter()
        .map(|(reason, whats)| format!("{}: {}: {reason}", many(whats.len(), "figure"), whats.join("; ")))
        .collect()
}
