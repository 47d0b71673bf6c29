// SPDX-License-Identifier: MIT OR Apache-2.0
//! From rows to charts. Rows of another unit or accel make a chart of their own.

mod contention;
mod datapath;
mod job;
mod kind;
mod operations;
mod surviving;

use super::{
    figures::Figures,
    page::{Chart, CostPart},
    words::many,
};

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
    again(native, emulated).into_iter().chain(contention::part(native, "-native")).collect()
}

/// The same operations there, and which ratios of the emulated ones survive. A ratio has no unit and no accel; the figures
/// themselves stay in their own charts.
fn again(native: &Figures, emulated: &Figures) -> Option<CostPart> {
    let mut part = operations::part(native);
    part.id = "native".into();
    part.title = "The same natively, on the host's own kernel".into();
    part.about = "The approaches that need no patch. Which of the ratios above survive emulation.".into();
    for others in [datapath::part(native), job::part(native)] {
        part.charts.extend(others.charts.into_iter().map(|chart| Chart { folded: true, ..chart }));
    }
    part.tables = surviving::tables(native, emulated);
    (!part.charts.is_empty()).then_some(part)
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
