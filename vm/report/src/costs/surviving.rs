// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which ratios survive emulation: the same two figures, emulated in instructions and natively in nanoseconds. A ratio has
//! neither unit nor accel; the figures themselves stay in their own charts.

use approaches::{Gc, Refresh};
use results::bench::{FlowState, Group, Row};

use super::kind::REFERENCE;
use crate::{
    comparison::ratio,
    figures::{BASE, Figures, NATIVE},
    numbers::count,
    page::Table,
};

/// The discipline and the strategy that others are put in relation to.
const PACKET: &str = Refresh::Store.data().name;
const STRATEGY: &str = Gc::Blind.data().name;

/// What was measured both ways, by table: operations, packets, rounds of GC.
pub fn tables(native: &Figures, emulated: &Figures) -> Vec<Table> {
    let operations = native.group(Group::Operation).filter_map(|row| {
        let (operation, map) = (row.measure.operation.as_str(), row.measure.map.as_str());
        let of = |figures: &Figures, kernel: &str| {
            let row = figures.operation(operation, map, kernel)?;
            ratio(row, figures.operation(REFERENCE, map, kernel)?).ok()
        };
        line([operation.into(), map.into()], of(emulated, BASE), of(native, NATIVE))
    });
    let packets = native.group(Group::Datapath).filter_map(|row| {
        let packet = row.measure.packet.as_ref().filter(|packet| packet.state != FlowState::Floor)?;
        let of = |figures: &Figures| {
            let row = figures.packet(&packet.discipline, packet.state)?;
            ratio(row, figures.packet(PACKET, packet.state)?).ok()
        };
        let state = format!("{:?}", packet.state).to_lowercase();
        line([packet.discipline.clone(), state], of(emulated), of(native))
    });
    let rounds = native.group(Group::Job).filter_map(|row| {
        let job = row.measure.job.as_ref()?;
        let of = |figures: &Figures| {
            let removal = |strategy: &str| {
                let row = round(figures, strategy, job.entries, job.expired_percent)?;
                row.measure.job.as_ref().map(|job| job.per_entry_removed)
            };
            removal(STRATEGY)
                .filter(|plain| *plain > 0.0)
                .and_then(|plain| Some(removal(&job.strategy)? / plain))
        };
        line([job.strategy.clone(), count(job.entries)], of(emulated), of(native))
    });
    let table = |id: &str, what: &str, over: &str, head: [&str; 2], rows: Vec<Vec<String>>| Table {
        id: format!("survive-{id}"),
        caption: format!("{what} in relation to {over}: emulated, in instructions, and natively, in ns"),
        head: [head[0], head[1], "emulated", "native"].map(Into::into).into(),
        rows,
        notes: Vec::new(),
    };
    let mut tables = vec![
        table("operations", "An operation", REFERENCE, ["operation", "map"], operations.collect()),
        table("packets", "A packet", PACKET, ["discipline", "entry"], packets.collect()),
        table("rounds", "A removal, 10 % expired,", STRATEGY, ["strategy", "entries"], rounds.collect()),
    ];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn line(what: [String; 2], there: Option<f64>, here: Option<f64>) -> Option<Vec<String>> {
    let [first, second] = what;
    Some(vec![first, second, format!("{:.2}", there?), format!("{:.2}", here?)])
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
