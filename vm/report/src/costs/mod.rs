// SPDX-License-Identifier: MIT OR Apache-2.0
//! From rows to charts. Rows of another unit or accel make a chart of their own.

mod contention;
mod datapath;
mod job;
mod kind;
mod operations;
mod surviving;

use super::{figures::Figures, page::CostPart};

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
