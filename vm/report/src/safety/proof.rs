// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the evidence of a line comes to, each kind by itself: emulated, native, stock kernels; and what its maps take.

use evidence::races::{Matrix, Row, Trials, below, figure, per_million};
use results::races::{Cell, Stress};

use super::line::Line;
use crate::{
    kinds::{Evidence, Natively},
    numbers::{count, short},
    page::Preempted,
    words::{listed, many},
};

fn rows<'a>(matrix: &'a Matrix, cells: &[Cell]) -> Vec<&'a Row> {
    cells.iter().filter_map(|cell| matrix.find(&cell.refresh, &cell.gc, &cell.map)).collect()
}

/// Refreshes and deletes of the stress.
fn sums(rows: &[&Row]) -> (u64, u64) {
    let all = rows.iter().filter_map(|row| row.stress.as_ref());
    all.fold((0, 0), |(refreshes, deletes), stress| (refreshes + stress.refreshes, deletes + stress.deletes))
}

fn violations(rows: &[&Row]) -> u64 {
    rows.iter().filter_map(|row| row.stress.as_ref()).map(|stress| stress.violations.total()).sum()
}

/// What kernels that preempt packets break of it, which no cell claims to stand. It stands only where all of its cells were put to
/// the test on one of them.
pub fn preempted(kernels: &[Natively], cells: &[Cell]) -> Preempted {
    let ran: Vec<(&str, Vec<&Row>)> =
        kernels.iter().map(|kernel| (kernel.release.as_str(), ran(kernel, cells))).collect();
    let ran: Vec<_> = ran.into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
    let (mut broke, mut stands, mut words) = (false, false, Vec::new());
    for (release, rows) in &ran {
        let (lost, deletes) = (violations(rows), sums(rows).1);
        let tried = rows.iter().filter(|row| row.stress.as_ref().is_some_and(|stress| stress.deletes > 0));
        let (cut, opened) = connections(rows);
        broke |= lost > 0;
        // A connection may have broken for want of time: nobody knows.
        stands |= tried.count() == cells.len() && cut == 0;
        let of = if rows.len() == cells.len() { String::new() } else { format!("{} of ", rows.len()) };
        let of = format!("{of}{}", many(cells.len(), "cell"));
        words.push(match lost {
            0 if deletes == 0 => format!("{of}: nothing was removed, on {release}"),
            0 => format!("{of}: {}, on {release}", bounded(rows)),
            _ => format!(
                "{}, {} per million deletes, on {release}",
                many(usize::try_from(lost).unwrap_or(usize::MAX), "violation"),
                short(per_million(lost, deletes))
            ),
        });
        if cut > 0 {
            words.push(format!("{cut} of {} real connections broke there", count(opened)));
        }
    }
    match ran.is_empty() {
        true => Preempted { broke: None, words: "not run".into() },
        false => Preempted { broke: (broke || stands).then_some(broke), words: words.join("; ") },
    }
}

/// Real connections that broke, and all of them.
fn connections(rows: &[&Row]) -> (u64, u64) {
    let all = rows.iter().flat_map(|row| &row.connections);
    all.fold((0, 0), |(broken, opened), run| (broken + run.broken, opened + run.opened))
}

/// The rows of cells that ran there.
fn ran<'a>(native: &'a Natively, cells: &[Cell]) -> Vec<&'a Row> {
    rows(&native.matrix, cells).into_iter().filter(|row| row.stress.is_some()).collect()
}

fn bounded(rows: &[&Row]) -> String {
    let (refreshes, deletes) = sums(rows);
    let stresses = rows.iter().filter_map(|row| row.stress.as_ref());
    let trials: Trials = stresses.map(Trials::deletes).sum();
    format!(
        "none in {} refreshes and {} deletes, below {} per million deletes (95 %)",
        count(refreshes),
        count(deletes),
        figure(trials.losses_below())
    )
}

/// What model and stress say under emulation.
pub fn emulated(evidence: &Evidence, cells: &[Cell]) -> String {
    let rows = rows(&evidence.emulated, cells);
    if rows.is_empty() {
        return "not run".into();
    }
    let states: u64 = rows.iter().filter_map(|row| row.model.as_ref()).map(|model| model.states).sum();
    let model = format!("{}: no schedule in {} states", many(rows.len(), "cell"), count(states));
    if sums(&rows).1 == 0 { model } else { format!("{model}; {}", bounded(&rows)) }
}

/// What the host's own kernel says.
pub fn native(here: Option<&Natively>, cells: &[Cell]) -> String {
    let Some(here) = here else { return "not run".into() };
    let rows = ran(here, cells);
    if rows.is_empty() { "not run".into() } else { bounded(&rows) }
}

/// On which kernels it ran, as they are.
pub fn stock(stock: &[Natively], cells: &[Cell]) -> String {
    let ran: Vec<String> = stock
        .iter()
        .filter_map(|native| {
            let rows = ran(native, cells);
            let (refreshes, _) = sums(&rows);
            (!rows.is_empty()).then(|| format!("{} ({} refreshes)", native.release, count(refreshes)))
        })
        .collect();
    if ran.is_empty() { "not run".into() } else { format!("none on {}", listed(&ran)) }
}

/// Packets that were to open a flow and were refused: each kind of evidence by itself.
pub fn opens_refused(evidence: &Evidence, cells: &[Cell]) -> String {
    let said: Vec<String> =
        [("emulated", Some(&evidence.emulated)), ("native", evidence.here.as_ref().map(|here| &here.matrix))]
            .into_iter()
            .filter_map(|(kind, matrix)| {
                let rows = rows(matrix?, cells);
                let (refused, opens) = rows
                    .iter()
                    .filter_map(|row| row.stress.as_ref())
                    .fold((0, 0), |(refused, opens), stress| {
                        (refused + stress.opens_refused, opens + stress.opens)
                    });
                (opens > 0).then(|| {
                    let rate = match refused {
                        0 => format!("0 (<{})", short(below(opens))),
                        refused => short(per_million(refused, opens)),
                    };
                    format!("{rate} {kind}")
                })
            })
            .collect();
    if said.is_empty() { "not counted".into() } else { said.join("; ") }
}

/// Bytes for an entry that a map has room for; by the job of the bench where the stress does not say.
pub fn bytes(evidence: &Evidence, line: &Line<'_>) -> String {
    let of_map = |map: &str| {
        let seen = |gc: &&str| {
            evidence
                .rows(&Cell::new(line.refresh, gc, map))
                .filter_map(|row| row.stress.as_ref())
                .find_map(|stress: &Stress| stress.map_bytes.checked_div(stress.map_entries))
        };
        let measured = |gc: &&str| {
            let round = evidence.figures.round(gc).filter(|row| row.measure.map == map)?;
            let job = round.measure.job.as_ref()?;
            job.map_bytes.checked_div(job.entries)
        };
        line.gcs
            .iter()
            .find_map(seen)
            .or_else(|| line.gcs.iter().find_map(measured))
            .filter(|bytes| *bytes > 0)
    };
    let mut said: Vec<(u64, Vec<&str>)> = Vec::new();
    for map in &line.maps {
        let Some(bytes) = of_map(map) else { continue };
        match said.iter_mut().find(|(known, _)| *known == bytes) {
            Some((_, maps)) => maps.push(map),
            None => said.push((bytes, vec![map])),
        }
    }
    match said.as_slice() {
        [] => "not measured".into(),
        [(bytes, maps)] if maps.len() == line.maps.len() => count(*bytes),
        said => {
            let each: Vec<String> =
                said.iter().map(|(bytes, maps)| format!("{} on {}", count(*bytes), listed(maps))).collect();
            each.join(", ")
        }
    }
}
