// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets on one CPU and GC on another: what each pays for the other.

use results::bench::{Contention, Group, Row};

use super::kind::{bar, is_kind, kinds, says};
use crate::{
    figures::Figures,
    numbers::{times, value},
    page::{Bar, Chart, CostPart, Plot, Table},
};

/// Charts of what packets pay, a table of what GC pays; `None` where nothing of it was measured. `whose` tells several of
/// them on a page apart.
pub fn part(figures: &Figures, whose: &str) -> Option<CostPart> {
    let rows: Vec<(&Row, &Contention)> = figures
        .group(Group::Contention)
        .filter_map(|row| row.measure.contention.as_ref().map(|contention| (row, contention)))
        .collect();
    let mut charts = Vec::new();
    let mut tables = Vec::new();
    for kind in kinds(rows.iter().map(|(row, _)| *row)) {
        let rows: Vec<(&Row, &Contention)> =
            rows.iter().copied().filter(|(row, _)| is_kind(row, kind)).collect();
        let mut disciplines: Vec<&str> = rows.iter().map(|(_, of)| of.discipline.as_str()).collect();
        disciplines.dedup();
        charts.extend(disciplines.into_iter().map(|name| packets(name, &rows, whose)));
        tables.extend(removals(&rows, whose));
    }
    (!charts.is_empty()).then(|| CostPart {
        id: format!("contention{whose}"),
        title: "Contention: packets on one CPU, GC on another".into(),
        about: "Packets of flows whose entries are live, while a round of GC removes others. Of three rounds one has both, one GC \
                alone, one packets alone; × is the median of neighbouring rounds with and without the other side, so that \
                whatever else the machine does meets both."
            .into(),
        charts,
        tables,
    })
}

fn packets(discipline: &str, rows: &[(&Row, &Contention)], whose: &str) -> Chart {
    let here: Vec<(&Row, &Contention)> =
        rows.iter().copied().filter(|(_, of)| of.discipline == discipline).collect();
    let several = here.iter().any(|(row, _)| row.origin.kernel != here[0].0.origin.kernel);
    let bars: Vec<Bar> = here
        .iter()
        .map(|(row, of)| {
            let name = &of.strategy;
            let label = if several { format!("{name} · {}", row.origin.kernel) } else { name.clone() };
            Bar { ratio: Some(of.packet_ratio), ..bar(label, row, None) }
        })
        .collect();
    let mut alone: Vec<f64> = here.iter().map(|(_, of)| of.packet_alone).collect();
    alone.sort_by(f64::total_cmp);
    let reference = alone.get(alone.len() / 2).map(|&alone| ("without GC".to_owned(), alone));
    let (unit, accel) = here
        .first()
        .map_or_else(Default::default, |(row, _)| (row.measure.unit.to_string(), row.origin.accel.clone()));
    Chart {
        id: format!("contention-{discipline}{whose}"),
        title: format!("A packet, {discipline}, beside GC"),
        says: says(&bars, reference.as_ref().map(|(name, _)| name.as_str())),
        unit,
        accel,
        plot: Plot::Bars { reference, bars },
        folded: false,
    }
}

/// A round of GC for each entry removed, without and with packets on another CPU.
fn removals(rows: &[(&Row, &Contention)], whose: &str) -> Option<Table> {
    let (first, _) = rows.first()?;
    let several = rows.iter().any(|(row, _)| row.origin.kernel != first.origin.kernel);
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|(row, of)| {
            let kernel = &row.origin.kernel;
            let on = if several { format!("{} · {kernel}", of.discipline) } else { of.discipline.clone() };
            let (beside, alone, ratio) = (of.removal, of.removal_alone, of.removal_ratio);
            vec![of.strategy.clone(), on, value(alone), value(beside), times(ratio)]
        })
        .collect();
    (!lines.is_empty()).then(|| Table {
        id: format!("contention-gc{whose}"),
        caption: format!(
            "A round of GC for each entry removed, {}, {}: medians of rounds without packets and of rounds beside them",
            first.measure.unit, first.origin.accel
        ),
        head: ["strategy", "packets", "alone", "beside", ""].map(Into::into).into(),
        rows: lines,
        notes: Vec::new(),
    })
}
