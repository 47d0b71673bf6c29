// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a datapath engineer takes home: a sentence for each refresh discipline, made of the matrix alone.

use std::collections::BTreeMap;

use approaches::Column;
use results::races::{Side, Undisturbed};

use super::{
    matrix::Matrix,
    row::Row,
    verdict::{Verdict, verdict},
};

/// So many strategies that are not safe are named.
const NAMED: usize = 4;

/// One sentence for each refresh discipline, in the order of the matrix.
pub fn sentences(matrix: &Matrix) -> Vec<String> {
    matrix.names(|cell| &cell.refresh).into_iter().map(|refresh| sentence(matrix, refresh)).collect()
}

fn sentence(matrix: &Matrix, refresh: &str) -> String {
    let mut by_verdict: BTreeMap<Verdict, Vec<&Row>> = BTreeMap::new();
    for row in matrix.rows.iter().filter(|row| row.cell.refresh == refresh) {
        by_verdict.entry(verdict(row)).or_default().push(row);
    }
    let safe = by_verdict.get(&Verdict::Safe).map_or(&[][..], Vec::as_slice);
    let mut parts = Vec::new();
    if safe.is_empty() && by_verdict.keys().any(|verdict| matches!(verdict, Verdict::Unsafe(_))) {
        parts.push("safe with no gc strategy that has evidence of the kernel".to_owned());
    }
    for (verdict, rows) in &by_verdict {
        // Whom to choose is named; the others are in the table.
        let safe = matches!(verdict, Verdict::Safe | Verdict::SafeInTheModel);
        let with = grouped(rows, if safe { usize::MAX } else { NAMED });
        parts.push(match verdict {
            Verdict::Safe => format!("safe with {with}"),
            Verdict::Unsafe(worst) => format!("{worst} with {with}"),
            Verdict::SafeInTheModel => format!("in the model alone, safe with {with}"),
            Verdict::UnsafeInTheModel(worst) => format!("in the model alone, {worst} with {with}"),
            Verdict::Refused => format!("refused by the kernel with {with}"),
            Verdict::Undecided => {
                format!("undecided with {with}, whose evidence contradicts itself or is missing")
            }
        });
    }
    format!("{refresh}: {}; price: {}", parts.join("; "), price(matrix, refresh, safe))
}

/// Strategies with the maps they have in common: `compare, iter on hash and arena, and blind on hash`. More than `most` of
/// them are counted instead.
fn grouped(rows: &[&Row], most: usize) -> String {
    let mut maps_of: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows {
        let (gc, map) = (row.cell.gc.as_str(), row.cell.map.as_str());
        match maps_of.iter_mut().find(|(known, _)| *known == gc) {
            Some((_, maps)) => maps.push(map),
            None => maps_of.push((gc, vec![map])),
        }
    }
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (gc, maps) in maps_of {
        match groups.iter_mut().find(|(_, known)| *known == maps) {
            Some((gcs, _)) => gcs.push(gc),
            None => groups.push((vec![gc], maps)),
        }
    }
    let words: Vec<String> = groups
        .iter()
        .map(|(gcs, maps)| match gcs.len() {
            n if n > most => format!("{n} strategies on {}", listed(maps)),
            _ => format!("{} on {}", gcs.join(", "), listed(maps)),
        })
        .collect();
    words.join(", and ")
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// In steps, as the model has them; what they cost in time is measured elsewhere.
fn price(matrix: &Matrix, refresh: &str, safe: &[&Row]) -> String {
    let packet = matrix.undisturbed(Side::Refresh, refresh).map_or_else(
        || "of a packet on a live entry not told by the model".into(),
        |u| format!("{} for a packet on a live entry", operations(u.map_operations)),
    );
    let mut strategies: Vec<&str> = Vec::new();
    for row in safe {
        if !strategies.contains(&row.cell.gc.as_str()) {
            strategies.push(&row.cell.gc);
        }
    }
    // Strategies of the same price are named together.
    let mut prices: Vec<(String, Vec<&str>)> = Vec::new();
    for gc in strategies {
        let Some(undisturbed) = matrix.undisturbed(Side::Gc, gc) else { continue };
        let price = of_gc(undisturbed, Column::named(gc).is_some_and(|column| column.grace));
        match prices.iter_mut().find(|(known, _)| *known == price) {
            Some((_, gcs)) => gcs.push(gc),
            None => prices.push((price, vec![gc])),
        }
    }
    if prices.is_empty() {
        return packet;
    }
    let each: Vec<String> = prices.iter().map(|(price, gcs)| format!("{price} ({})", listed(gcs))).collect();
    format!("{packet}, and for an expired one {}", each.join(", "))
}

fn of_gc(undisturbed: &Undisturbed, grace: bool) -> String {
    let mut price = operations(undisturbed.map_operations);
    if grace {
        price.push_str(" and one grace period a round");
    }
    price
}

fn operations(count: u64) -> String {
    match count {
        0 => "no map operation".into(),
        1 => "1 map operation".into(),
        count => format!("{count} map operations"),
    }
}

#[cfg(test)]
mod tests {
    use results::races::Violation;

    use super::*;
    use crate::races::{
        judge::weigh,
        made_up::{cell, matrix, model, of_each_kind, stressed, undisturbed},
    };

    #[test]
    fn the_sentences_follow_from_the_matrix() {
        let mut matrix = matrix(&of_each_kind());
        weigh(&mut matrix, false, "");
        assert_eq!(
            sentences(&matrix),
            [
                "store: safe with no gc strategy that has evidence of the kernel; lost refresh with blind on hash and \
                 lru-hash, and compare on hash; price: 1 map operation for a packet on a live entry",
                "replace: safe with compare on hash; lost refresh with blind on hash and lru-hash; refused by the kernel \
                 with compare on lru-hash; price: 2 map operations for a packet on a live entry, and for an expired one \
                 1 map operation (compare)",
                "due-tagged: in the model alone, safe with prog on hash and lru-hash; price: of a packet on a live entry \
                 not told by the model",
            ]
        );
    }

    #[test]
    fn many_that_are_not_safe_are_counted() {
        let events: Vec<_> = ["a", "b", "c", "d", "e"]
            .iter()
            .map(|gc| model(cell("store", gc, "hash"), &[Violation::LostRefresh]))
            .collect();
        let mut matrix = matrix(&events);
        weigh(&mut matrix, true, "");
        assert!(
            sentences(&matrix)[0]
                .starts_with("store: in the model alone, lost refresh with 5 strategies on hash;")
        );
    }

    #[test]
    fn another_matrix_makes_another_sentence() {
        let here = || cell("due", "compare+grace", "hash");
        let mut matrix =
            matrix(&[model(here(), &[]), stressed(here(), 10, 10, 0), undisturbed(Side::Gc, "compare", 1)]);
        weigh(&mut matrix, false, "");
        assert_eq!(
            sentences(&matrix),
            [
                "due: safe with compare+grace on hash; price: of a packet on a live entry not told by the model, and for an \
              expired one 1 map operation and one grace period a round (compare+grace)"
            ]
        );
        matrix.add(&[stressed(here(), 10, 10, 1)]);
        weigh(&mut matrix, false, "");
        assert!(sentences(&matrix)[0].starts_with("due: undecided with compare+grace on hash"));
    }
}
