// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reply's objections. What speaks to each is data; what is said of it is made of the cells and the figures.

mod line;

use std::collections::BTreeMap;

use results::races::Violation;

use self::line::{LINES, Line};
use super::{
    cells::id_of,
    figures::Figures,
    page::{Fate, Finding, Objection},
    words::{count, listed, many, short},
};
use crate::races::{Matrix, Row, Verdict, per_million, verdict};

/// So many pairs are named and linked.
const NAMED: usize = 4;

/// Each objection with what is known.
pub fn weighed(matrix: &Matrix, figures: &Figures) -> Vec<Objection> {
    LINES.iter().map(|line| weigh(line, matrix, figures)).collect()
}

fn weigh(line: &Line, matrix: &Matrix, figures: &Figures) -> Objection {
    let rows = line.cells(matrix);
    let mut findings = Vec::new();
    if rows.is_empty() {
        let text = "No cell speaks to it yet: run `cargo xtask races`.".into();
        findings.push(Finding { text, links: Vec::new() });
    } else {
        findings.push(tally(&rows));
        findings.extend(safe(&rows));
        findings.extend(least_bad(&rows));
        findings.extend(counted(&rows));
        findings.extend(refused(&rows));
        findings.extend(alone(&rows));
    }
    findings.extend(figures.findings(line.gcs));
    findings.extend(figures.packets(&disciplines(line, &rows)));
    Objection {
        id: line.id.into(),
        title: line.title.into(),
        claim: line.claim.into(),
        fate: fate(&rows),
        findings,
    }
}

/// Those that the objection names, or else those that are safe.
fn disciplines<'a>(line: &Line, rows: &[&'a Row]) -> Vec<&'a str> {
    let mut disciplines: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| !line.refreshes.is_empty() || verdict(row) == Verdict::Safe) {
        if !disciplines.contains(&row.cell.refresh.as_str()) {
            disciplines.push(&row.cell.refresh);
        }
    }
    disciplines
}

fn is_hash(map: &str) -> bool {
    map.contains("hash")
}

/// Pairs with the maps on which `keep` holds for them, in order.
fn pairs<'a>(rows: &[&'a Row], keep: impl Fn(Verdict) -> bool) -> Vec<(&'a str, &'a str, Vec<&'a str>)> {
    let mut pairs: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for row in rows.iter().filter(|row| keep(verdict(row))) {
        let cell = &row.cell;
        match pairs.iter_mut().find(|(refresh, gc, _)| *refresh == cell.refresh && *gc == cell.gc) {
            Some((_, _, maps)) => maps.push(&cell.map),
            None => pairs.push((&cell.refresh, &cell.gc, vec![&cell.map])),
        }
    }
    pairs
}

/// What the cells come to.
fn fate(rows: &[&Row]) -> Fate {
    let evidence = rows.iter().any(|row| matches!(verdict(row), Verdict::Safe | Verdict::Unsafe(_)));
    if !evidence {
        return Fate::Undecided;
    }
    let mut hashes: Vec<&str> =
        rows.iter().map(|row| row.cell.map.as_str()).filter(|map| is_hash(map)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let safe = pairs(rows, |verdict| verdict == Verdict::Safe);
    let on_hashes = |maps: &[&str]| maps.iter().filter(|map| is_hash(map)).count();
    match safe.iter().map(|(_, _, maps)| on_hashes(maps)).max() {
        None => Fate::Fails,
        Some(0) => Fate::Elsewhere,
        Some(most) if most == hashes.len() => Fate::Holds,
        Some(_) => Fate::InPart,
    }
}

/// How many of each.
fn tally(rows: &[&Row]) -> Finding {
    let mut kinds: BTreeMap<Verdict, usize> = BTreeMap::new();
    for row in rows {
        *kinds.entry(verdict(row)).or_default() += 1;
    }
    let said: Vec<String> = kinds
        .iter()
        .map(|(verdict, number)| match verdict {
            Verdict::Safe => format!("{number} safe"),
            Verdict::Unsafe(worst) => format!("{number} with {worst}"),
            Verdict::SafeInTheModel => format!("{number} safe in the model alone"),
            Verdict::UnsafeInTheModel(worst) => format!("{number} with {worst} in the model alone"),
            Verdict::Refused => format!("{number} refused by the kernel"),
            Verdict::Undecided => format!("{number} without agreeing evidence"),
        })
        .collect();
    let links = vec![("the matrix".to_owned(), "matrix".to_owned())];
    let speak = if rows.len() == 1 { "speaks" } else { "speak" };
    Finding { text: format!("{} {speak} to it: {}.", many(rows.len(), "cell"), listed(&said)), links }
}

/// The same strategies with the same maps, told once: `replace with compare and compare-batch on hash`.
fn named(pairs: &[(&str, &str, Vec<&str>)]) -> String {
    let mut groups: Vec<(&str, Vec<&str>, &Vec<&str>)> = Vec::new();
    for (refresh, gc, maps) in pairs {
        match groups.iter_mut().find(|(known, _, on)| known == refresh && *on == maps) {
            Some((_, gcs, _)) => gcs.push(gc),
            None => groups.push((refresh, vec![gc], maps)),
        }
    }
    let said: Vec<String> = groups
        .iter()
        .map(|(refresh, gcs, maps)| format!("{refresh} with {} on {}", listed(gcs), listed(maps)))
        .collect();
    said.join("; ")
}

fn links(pairs: &[(&str, &str, Vec<&str>)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .take(NAMED)
        .map(|(refresh, gc, _)| (format!("{refresh} × {gc}"), id_of(refresh, gc)))
        .collect()
}

fn safe(rows: &[&Row]) -> Option<Finding> {
    let safe = pairs(rows, |verdict| verdict == Verdict::Safe);
    if safe.is_empty() {
        return None;
    }
    let off = safe.iter().all(|(_, _, maps)| maps.iter().all(|map| !is_hash(map)));
    let end = if off { "; no cell of it is on a hash map" } else { "" };
    Some(Finding { text: format!("Safe by all evidence: {}{end}.", named(&safe)), links: links(&safe) })
}

/// Where nothing is safe, what comes closest.
fn least_bad(rows: &[&Row]) -> Option<Finding> {
    if rows.iter().any(|row| verdict(row) == Verdict::Safe) {
        return None;
    }
    // Violations are in order from the worst.
    let mildest = rows.iter().filter_map(|row| match verdict(row) {
        Verdict::Unsafe(worst) => Some(worst),
        _ => None,
    });
    let mildest = mildest.max()?;
    let such = pairs(rows, |verdict| verdict == Verdict::Unsafe(mildest));
    let text = if such.len() > NAMED {
        format!("None is safe; the mildest that happens is a {mildest}, with {}.", many(such.len(), "pair"))
    } else {
        format!("None is safe; the mildest that happens is a {mildest}, with {}.", named(&such))
    };
    Some(Finding { text, links: links(&such) })
}

/// What the stress counted: the highest rate and what zero leaves.
fn counted(rows: &[&Row]) -> Option<Finding> {
    let mut worst: Option<(&Row, Violation, f64)> = None;
    let (mut seen, mut ran) = (0, 0);
    let mut deletes = 0;
    for row in rows {
        let Some(stress) = &row.stress else { continue };
        ran += 1;
        deletes += stress.deletes;
        seen += usize::from(stress.violations.total() > 0);
        for violation in Violation::ALL {
            let rate = per_million(stress.violations.of(violation), stress.deletes);
            if rate > worst.map_or(0.0, |(_, _, rate)| rate) {
                worst = Some((row, violation, rate));
            }
        }
    }
    if ran == 0 {
        return None;
    }
    let text = match worst {
        Some((row, violation, rate)) => format!(
            "The stress saw it go wrong in {seen} of {}, at most {} times {violation} per million deletes ({}).",
            many(ran, "cell"),
            short(rate),
            row.cell
        ),
        None => format!(
            "The stress saw nothing go wrong in {}, {} deletes together.",
            many(ran, "cell"),
            count(deletes)
        ),
    };
    let links = worst.map(|(row, ..)| {
        (format!("{} × {}", row.cell.refresh, row.cell.gc), id_of(&row.cell.refresh, &row.cell.gc))
    });
    Some(Finding { text, links: links.into_iter().collect() })
}

/// The kernel's own no, each once.
fn refused(rows: &[&Row]) -> Option<Finding> {
    let mut by_reason: Vec<(String, Vec<&str>)> = Vec::new();
    for row in rows {
        let Some(refusal) = &row.refused else { continue };
        let reason = format!("{}: {}", refusal.errno, refusal.text);
        let map = row.cell.map.as_str();
        match by_reason.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, maps)) if maps.contains(&map) => {}
            Some((_, maps)) => maps.push(map),
            None => by_reason.push((reason, vec![map])),
        }
    }
    if by_reason.is_empty() {
        return None;
    }
    let said: Vec<String> =
        by_reason.iter().map(|(reason, maps)| format!("on {}, {reason}", listed(maps))).collect();
    let refused = pairs(rows, |verdict| verdict == Verdict::Refused);
    Some(Finding { text: format!("The kernel refuses {}.", said.join("; ")), links: links(&refused) })
}

/// Cells that no kernel was asked about.
fn alone(rows: &[&Row]) -> Option<Finding> {
    let alone = rows
        .iter()
        .filter(|row| matches!(verdict(row), Verdict::SafeInTheModel | Verdict::UnsafeInTheModel(_)));
    let mut reasons: Vec<&str> = Vec::new();
    let mut number = 0;
    for row in alone {
        number += 1;
        let reason = row.absent.as_deref().unwrap_or("only the model was run");
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    (number > 0).then(|| Finding {
        text: format!("Without evidence of a kernel: {}: {}.", many(number, "cell"), reasons.join("; ")),
        links: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
