// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reply's objections, each by its best form: what answers it without a patch comes first. Which strategies answer which
//! objection is in the catalogue; what is said of them is made of the cells and the figures.

use std::collections::BTreeMap;

use approaches::Objection as Asked;
use evidence::races::{Row, Verdict, per_million, verdict};
use results::races::Violation;

use super::{
    alternatives::beside,
    catalogue::{is_hash, is_proposal, strategy},
    cells::id_of,
    kinds::Evidence,
    numbers::{count, short},
    page::{ClaimShown, Fate, Finding, Objection, Patch, SafeLine, Safety, Standing},
    safety::{Line, of},
    words::{listed, many},
};

/// So many pairs are named and linked.
const NAMED: usize = 4;

/// Each objection with what is known.
pub fn weighed(
    evidence: &Evidence,
    lines: &[Line<'_>],
    safety: &Safety,
    claims: &[ClaimShown],
) -> Vec<Objection> {
    Asked::ALL.into_iter().map(|asked| weigh(asked, evidence, lines, safety, claims)).collect()
}

fn answers(gc: &str, asked: Asked) -> bool {
    strategy(gc).is_some_and(|strategy| strategy.answers.contains(&asked))
}

fn weigh(
    asked: Asked,
    evidence: &Evidence,
    lines: &[Line<'_>],
    safety: &Safety,
    claims: &[ClaimShown],
) -> Objection {
    let rows: Vec<&Row> = evidence.emulated.rows.iter().filter(|row| answers(&row.cell.gc, asked)).collect();
    // Those without a patch come first.
    let own: Vec<Line<'_>> = lines.iter().filter_map(|line| narrowed(line, asked)).collect();
    let mut findings = Vec::new();
    findings.extend(best(&own, safety));
    if asked == Asked::Proposal {
        let others = of(lines, Patch::Without);
        findings.extend(beside(evidence, &refs(&own), &others, "without a patch"));
    } else {
        let ours: Vec<&Line<'_>> =
            lines.iter().filter(|line| line.gcs.iter().any(|gc| is_proposal(gc))).collect();
        findings.extend(beside(evidence, &refs(&own), &ours, "with the proposal"));
    }
    findings.extend(takes(&own, safety));
    if rows.is_empty() {
        let text = "No cell speaks to it yet: run `cargo xtask races`.".into();
        findings.push(Finding { text, links: Vec::new() });
    } else {
        findings.push(tally(&rows));
        findings.extend(least_bad(&rows, &own));
        findings.extend(counted(&rows));
        findings.extend(refused(&rows));
        findings.extend(alone(&rows));
    }
    findings.extend(claimed(claims, asked));
    Objection {
        id: asked.id().into(),
        title: asked.title().into(),
        claim: asked.claim().into(),
        fate: fate(&rows, &own),
        patch: own.first().map(Line::patch),
        findings,
    }
}

/// A line with those columns alone that answer an objection.
fn narrowed<'a>(line: &Line<'a>, asked: Asked) -> Option<Line<'a>> {
    let gcs: Vec<&'a str> = line.gcs.iter().copied().filter(|gc| answers(gc, asked)).collect();
    (!gcs.is_empty()).then(|| Line { gcs, ..line.clone() })
}

fn refs<'l, 'a>(lines: &'l [Line<'a>]) -> Vec<&'l Line<'a>> {
    lines.iter().collect()
}

/// The safe combinations, those without a patch first.
fn best(own: &[Line<'_>], safety: &Safety) -> Option<Finding> {
    if own.is_empty() {
        return None;
    }
    let with = |patch: Patch| {
        let named: Vec<String> = of(own, patch).into_iter().map(Line::words).collect();
        (!named.is_empty()).then(|| format!("{}, nothing is lost by {}.", patch.title(), named.join("; ")))
    };
    let said: Vec<String> = Patch::ALL.into_iter().filter_map(with).collect();
    let links =
        own.iter().filter_map(|line| Some((line.refresh.to_owned(), row_of(line, safety)?.id.clone())));
    Some(Finding { text: said.join(" "), links: links.take(NAMED).collect() })
}

/// The line of the table that holds a narrowed one.
fn row_of<'s>(line: &Line<'_>, safety: &'s Safety) -> Option<&'s SafeLine> {
    safety.lines.iter().find(|row| {
        row.refresh == line.refresh
            && row.maps == line.maps
            && line.gcs.iter().all(|gc| row.gcs.iter().any(|known| known == gc))
    })
}

/// What the best form asks for in return.
fn takes(own: &[Line<'_>], safety: &Safety) -> Option<Finding> {
    let line = own.first()?;
    let row = row_of(line, safety)?;
    let mut said = vec![
        format!("kernel {}", row.kernel),
        format!("who has to cooperate: {}", row.cooperate),
        format!("a flow {}", if row.flows == "not run" { "on two CPUs was not run" } else { &row.flows }),
    ];
    if !row.gives_up.is_empty() {
        said.push(format!("given up: {}", row.gives_up.join("; ")));
    }
    if !row.breaks.is_empty() {
        said.push(format!("broken by {}", row.breaks.join("; by ")));
    }
    if row.preempted.broke == Some(true) {
        said.push(format!("on PREEMPT_RT {}", row.preempted.words));
    }
    let text = format!("What {} takes: {}.", row.name(), said.join("; "));
    Some(Finding { text, links: vec![("its line".into(), row.id.clone())] })
}

/// The claims that speak to it, with what the evidence says; those that were not run are counted.
fn claimed(claims: &[ClaimShown], asked: Asked) -> Vec<Finding> {
    let (not_run, run): (Vec<&ClaimShown>, Vec<&ClaimShown>) = claims
        .iter()
        .filter(|claim| claim.about.iter().any(|id| id == asked.id()))
        .partition(|claim| claim.standing == Standing::NotRun);
    let mut findings: Vec<Finding> = run
        .into_iter()
        .map(|claim| Finding {
            text: format!("Claimed, and it {}: {}", claim.standing.words(), claim.says),
            links: vec![("the claim".into(), claim.id.clone())],
        })
        .collect();
    if !not_run.is_empty() {
        let text = format!(
            "{} it, and the evidence for {} was not run.",
            claims_on(not_run.len()),
            them(not_run.len())
        );
        let links = not_run.iter().map(|claim| (claim.id.clone(), claim.id.clone())).collect();
        findings.push(Finding { text, links });
    }
    findings
}

fn claims_on(number: usize) -> String {
    format!("{} {} to", many(number, "claim"), if number == 1 { "speaks" } else { "speak" })
}

fn them(number: usize) -> &'static str {
    if number == 1 { "it" } else { "them" }
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
fn fate(rows: &[&Row], own: &[Line<'_>]) -> Fate {
    let evidence = rows.iter().any(|row| matches!(verdict(row), Verdict::Safe | Verdict::Unsafe(_)));
    if !evidence && own.is_empty() {
        return Fate::Undecided;
    }
    let mut hashes: Vec<&str> =
        rows.iter().map(|row| row.cell.map.as_str()).filter(|map| is_hash(map)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let safe_on = |refresh: &str| {
        let on = own.iter().filter(|line| line.refresh == refresh).flat_map(|line| line.maps.iter().copied());
        let mut maps: Vec<&str> = on.filter(|map| is_hash(map)).collect();
        maps.sort_unstable();
        maps.dedup();
        maps.len()
    };
    match own.iter().map(|line| safe_on(line.refresh)).max() {
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

/// Where nothing is safe, what comes closest.
fn least_bad(rows: &[&Row], own: &[Line<'_>]) -> Option<Finding> {
    if !own.is_empty() {
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
