// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which ratios survive emulation: the same two figures, emulated in instructions and natively in nanoseconds. A ratio has
//! neither unit nor accel; the figures themselves stay in their own charts.

use results::bench::{FlowState, Group, Row};

use super::operations::REFERENCE;
use crate::report_page::{
    figures::{BASE, Figures, NATIVE, ratio},
    page::Table,
    words::count,
};

/// The discipline and the strategy that others are put in relation to.
const PACKET: &str = "store";
const STRATEGY: &str = "blind";

/// What was measured both ways; `None` where nothing was.
pub fn table(native: &Figures, emulated: &Figures) -> Option<Table> {
    let mut table = Table {
        id: "survive".into(),
        caption: "The same ratio, emulated in instructions and natively in ns".into(),
        head: ["what", "map", "in relation to", "emulated", "native"].map(Into::into).into(),
        ..Table::default()
    };
    let mut line = |what: String, map: &str, reference: &str, there: Option<f64>, here: Option<f64>| {
        if let (Some(there), Some(here)) = (there, here) {
            table.rows.push(vec![
                what,
                map.into(),
                reference.into(),
                format!("{there:.2}"),
                format!("{here:.2}"),
            ]);
        }
    };
    for row in native.group(Group::Operation) {
        let (operation, map) = (row.measure.operation.as_str(), row.measure.map.as_str());
        let of = |figures: &Figures, kernel: &str| {
            let row = figures.operation(operation, map, kernel)?;
            ratio(row, figures.operation(REFERENCE, map, kernel)?).ok()
        };
        line(operation.into(), map, REFERENCE, of(emulated, BASE), of(native, NATIVE));
    }
    for row in native.group(Group::Datapath) {
        let Some(packet) = row.measure.packet.as_ref().filter(|packet| packet.state != FlowState::Floor)
        else {
            continue;
        };
        let of = |figures: &Figures| {
            let row = figures.packet(&packet.discipline, packet.state)?;
            ratio(row, figures.packet(PACKET, packet.state)?).ok()
        };
        let what = format!("packet, {}, {:?}", packet.discipline, packet.state).to_lowercase();
        line(what, &row.measure.map, PACKET, of(emulated), of(native));
    }
    for row in native.group(Group::Job) {
        let Some(job) = &row.measure.job else { continue };
        let of = |figures: &Figures| {
            let removal = |strategy: &str| {
                let row = round(figures, strategy, job.entries, job.expired_percent)?;
                row.measure.job.as_ref().map(|job| job.per_entry_removed)
            };
            removal(STRATEGY)
                .filter(|plain| *plain > 0.0)
                .and_then(|plain| Some(removal(&job.strategy)? / plain))
        };
        let what = format!("removal by gc {}, {} entries", job.strategy, count(job.entries));
        line(what, &row.measure.map, STRATEGY, of(emulated), of(native));
    }
    (!table.rows.is_empty()).then_some(table)
}

/// A round of exactly this kind, on the kernel that speaks for the approach.
fn round<'a>(figures: &'a Figures, strategy: &str, entries: u64, share: u32) -> Option<&'a Row> {
    let wanted = |row: &&Row| {
        row.measure.job.as_ref().is_some_and(|job| {
            (job.strategy.as_str(), job.entries, job.expired_percent) == (strategy, entries, share)
        })
    };
    figures.group(Group::Job).filter(wanted).min_by_key(|row| figures.rank(row))
}
