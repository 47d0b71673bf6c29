// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the rows of `matrix.json` to the matrix of the page: a grid for each map, and the evidence behind each pair.

use std::collections::BTreeMap;

use evidence::races::{Matrix, Row, Trials, Verdict, figure, per_million, verdict};
use results::races::{Cell, Circumstance, Model, Step, Stress, Violation};

use super::{
    catalogue,
    kinds::Evidence,
    numbers::{count, short},
    page::{CellShown, Chip, Grid, Group, Mark, MatrixPart, Pair, Schedule},
};

/// The anchor of a pair.
pub fn id_of(refresh: &str, gc: &str) -> String {
    format!("pair-{refresh}-{}", gc.replace('+', "-"))
}

/// The names of a dimension, in the order of the catalogue.
fn names(matrix: &Matrix, of: fn(&Cell) -> &String, sort: fn(&mut [&str])) -> Vec<String> {
    let mut names = matrix.names(of);
    sort(&mut names);
    names.into_iter().map(Into::into).collect()
}

/// The matrix as the page has it, and a pair for each two that anybody ran together.
pub fn part(evidence: &Evidence) -> MatrixPart {
    let mut by_pair: BTreeMap<(&str, &str), Vec<&Cell>> = BTreeMap::new();
    for cell in evidence.cells() {
        by_pair.entry((&cell.gc, &cell.refresh)).or_default().push(cell);
    }
    let mut pairs = Vec::new();
    for gc in evidence.gcs() {
        for refresh in evidence.refreshes() {
            if let Some(cells) = by_pair.get(&(gc, refresh)) {
                pairs.push(pair(evidence, refresh, gc, cells));
            }
        }
    }
    MatrixPart { grids: grids(&evidence.emulated, "map", chip), pairs, not_run: None }
}

/// A grid for each map. `chip` makes a cell of a row, or none.
pub fn grids(matrix: &Matrix, whose: &str, chip: fn(&Row) -> Option<Chip>) -> Vec<Grid> {
    let refreshes = names(matrix, |cell| &cell.refresh, catalogue::sort_refreshes);
    let gcs = names(matrix, |cell| &cell.gc, catalogue::sort_columns);
    names(matrix, |cell| &cell.map, catalogue::sort_maps)
        .into_iter()
        .filter_map(|map| {
            let here: BTreeMap<(&str, &str), Chip> = matrix
                .rows
                .iter()
                .filter(|row| row.cell.map == map)
                .filter_map(|row| Some(((row.cell.gc.as_str(), row.cell.refresh.as_str()), chip(row)?)))
                .collect();
            let columns: Vec<String> = refreshes
                .iter()
                .filter(|refresh| here.keys().any(|(_, known)| known == refresh))
                .cloned()
                .collect();
            let known: Vec<&str> = gcs
                .iter()
                .map(String::as_str)
                .filter(|gc| here.keys().any(|(known, _)| known == gc))
                .collect();
            let groups = catalogue::grouped(&known)
                .into_iter()
                .map(|(family, gcs)| Group {
                    title: catalogue::title(family).into(),
                    rows: gcs
                        .into_iter()
                        .map(|gc| {
                            let chips = columns.iter().map(|of| here.get(&(gc, of.as_str())).cloned());
                            (gc.to_owned(), chips.collect())
                        })
                        .collect(),
                })
                .collect();
            (!here.is_empty()).then(|| Grid {
                id: format!("{whose}-{map}"),
                map: map.clone(),
                columns,
                groups,
            })
        })
        .collect()
}

fn chip(row: &Row) -> Option<Chip> {
    let CellShown { mark, word, more, rate, .. } = cell(row);
    Some(Chip { mark, word, more, rate, link: id_of(&row.cell.refresh, &row.cell.gc) })
}

fn pair(evidence: &Evidence, refresh: &str, gc: &str, cells: &[&Cell]) -> Pair {
    let mut shown: Vec<CellShown> = Vec::new();
    let mut rows: Vec<&Row> = Vec::new();
    for of in cells {
        let row = evidence.emulated.find(refresh, gc, &of.map);
        rows.extend(row);
        let mut one = row.map_or_else(|| not_run(&of.map), cell);
        one.native = natively(evidence, of);
        let alone = one.witness.is_none() && one.stress.is_none() && one.native.is_empty();
        let same = shown
            .iter_mut()
            .find(|known| alone && CellShown { map: one.map.clone(), ..(**known).clone() } == one);
        match same {
            Some(known) => known.map = format!("{}, {}", known.map, one.map),
            None => shown.push(one),
        }
    }
    Pair {
        id: id_of(refresh, gc),
        refresh: refresh.into(),
        gc: gc.into(),
        cells: shown,
        schedules: schedules(&rows),
    }
}

/// A cell that ran natively alone.
fn not_run(map: &str) -> CellShown {
    CellShown {
        map: map.into(),
        mark: Mark::ModelSafe,
        word: "not run".into(),
        more: 0,
        rate: None,
        model: "not explored".into(),
        witness: None,
        stress: None,
        native: Vec::new(),
        notes: Vec::new(),
    }
}

/// What ran on kernels as they are, each by itself.
fn natively(evidence: &Evidence, cell: &Cell) -> Vec<String> {
    evidence
        .natively()
        .chain(&evidence.preempting)
        .filter_map(|native| {
            let row = native.matrix.find(&cell.refresh, &cell.gc, &cell.map)?;
            Some(match (&row.stress, &row.refused) {
                (Some(counted), _) => format!("{}: {}{}", native.release, stress(counted), spread(row)),
                (None, Some(refusal)) => format!("{}: refused, {}", native.release, refusal.errno),
                (None, None) => return None,
            })
        })
        .collect()
}

/// How a cell goes wrong: in what worse circumstances, if any.
type Way = (Option<Circumstance>, Violation);

/// The shortest schedule of each violation, of cells that ran in a kernel; and of what breaks those that are safe. What the
/// model alone has found is in `matrix.json`: the page would be a book of it.
fn schedules(rows: &[&Row]) -> Vec<Schedule> {
    let mut shortest: BTreeMap<Way, (Vec<String>, &[Step])> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.ran_in_the_kernel()) {
        let Some(model) = &row.model else { continue };
        let found = model.counterexamples.iter().map(|(violation, steps)| (None, *violation, steps));
        let worse = model.if_worse.iter().filter(|_| verdict(row) == Verdict::Safe);
        let worse = worse.flat_map(|(circumstance, found)| {
            found.iter().map(|(violation, steps)| (Some(*circumstance), *violation, steps))
        });
        for (circumstance, violation, steps) in found.chain(worse) {
            let (maps, known) =
                shortest.entry((circumstance, violation)).or_insert_with(|| (Vec::new(), steps));
            maps.push(row.cell.map.clone());
            if steps.len() < known.len() {
                *known = steps;
            }
        }
    }
    shortest
        .into_iter()
        .map(|((circumstance, violation), (maps, steps))| Schedule {
            violation: circumstance.map_or_else(
                || violation.to_string(),
                |worse| format!("{violation}, with {}", worse.words()),
            ),
            maps,
            steps: steps.iter().map(told).collect(),
        })
        .collect()
}

fn told(step: &Step) -> [String; 3] {
    [step.actor.clone(), step.function.clone(), step.text.clone()]
}

/// What a cell's violation is called in a table.
pub fn word(violation: Violation) -> &'static str {
    match violation {
        Violation::LostRefresh => "lost",
        Violation::StrayWrite => "stray",
        Violation::ForeignValue => "foreign",
        Violation::StaleRestore => "stale",
        Violation::Gap => "gap",
        Violation::DoubleDelete => "double",
        Violation::NeverRemoved => "stays",
    }
}

/// A cell as it is shown.
pub fn cell(row: &Row) -> CellShown {
    let found = row.model.as_ref().map_or(0, |model| model.counterexamples.len());
    let (mark, word) = match verdict(row) {
        Verdict::Safe => (Mark::Safe, "safe"),
        Verdict::SafeInTheModel if row.model.is_none() => (Mark::Alarm, "no evidence"),
        Verdict::SafeInTheModel => (Mark::ModelSafe, "safe"),
        Verdict::Unsafe(
            worst @ (Violation::LostRefresh
            | Violation::StrayWrite
            | Violation::ForeignValue
            | Violation::StaleRestore),
        ) => (Mark::Bad, word(worst)),
        Verdict::Unsafe(worst) => (Mark::Lesser, word(worst)),
        Verdict::UnsafeInTheModel(worst) => (Mark::ModelBad, word(worst)),
        Verdict::Refused => {
            (Mark::Refused, row.refused.as_ref().map_or("refused", |refusal| refusal.errno.as_str()))
        }
        Verdict::Undecided if row.agree == Some(false) => (Mark::Alarm, "disagree"),
        Verdict::Undecided => (Mark::Alarm, "no evidence"),
    };
    let mut notes = Vec::new();
    if let Some(refusal) = &row.refused {
        notes.push(format!("refused by the kernel, {}: {}", refusal.errno, refusal.text));
    }
    notes.extend(row.absent.iter().map(|why| format!("no evidence of the kernel: {why}")));
    notes.extend(row.failed.iter().map(|f| format!("the {} could not run: {}", f.evidence, f.error)));
    for run in &row.disturbed {
        notes.push(format!("with {}: {}", run.circumstance.words(), stress(&run.stress)));
    }
    // What else there is in the notes is told by the columns.
    if mark == Mark::Alarm {
        notes.extend(row.notes.iter().cloned());
    }
    CellShown {
        map: row.cell.map.clone(),
        mark,
        word: word.into(),
        more: if matches!(mark, Mark::Bad | Mark::Lesser | Mark::ModelBad) {
            found.saturating_sub(1)
        } else {
            0
        },
        rate: rate(row),
        model: row.model.as_ref().map_or_else(|| "not explored".into(), model),
        witness: row.witness.as_ref().map(|w| {
            let kinds: Vec<String> =
                w.by_violation.iter().map(|(v, (seen, tried))| format!("{v} {seen} of {tried}")).collect();
            if kinds.is_empty() {
                format!("{} of {} ({})", w.replayed, w.of, w.held_by)
            } else {
                format!("{} ({})", kinds.join(", "), w.held_by)
            }
        }),
        stress: row.stress.as_ref().map(|s| stress(s) + &spread(row)),
        native: Vec::new(),
        notes,
    }
}

/// Said where the stress did not happen to show what a replay shows.
const REPLAY: &str = "replay";

fn rate(row: &Row) -> Option<String> {
    let stress = row.stress.as_ref()?;
    let worst = match verdict(row) {
        Verdict::Unsafe(worst) => Some(worst),
        Verdict::Safe => None,
        _ => return None,
    };
    let seen = worst.map_or(0, |worst| stress.violations.of(worst));
    match (worst, seen) {
        (Some(_), 0) => Some(REPLAY.into()),
        (None, _) if stress.deletes == 0 => None,
        (None, _) => Some(format!("<{}", short(Trials::deletes(stress).losses_below()))),
        (Some(_), seen) => Some(short(per_million(seen, stress.deletes))),
    }
}

fn model(model: &Model) -> String {
    let states = format!("{} states, {}", count(model.states), model.memory);
    if model.counterexamples.is_empty() {
        return format!("no schedule in {states}");
    }
    let kinds: Vec<String> = model
        .counterexamples
        .iter()
        .map(|(violation, steps)| format!("{violation} in {} steps", steps.len()))
        .collect();
    format!("{} ({states})", kinds.join(", "))
}

fn stress(stress: &Stress) -> String {
    let seen: Vec<String> = Violation::ALL
        .into_iter()
        .filter(|&violation| stress.violations.of(violation) > 0)
        .map(|violation| {
            let seen = stress.violations.of(violation);
            format!("{violation} {} ({} per million)", count(seen), figure(per_million(seen, stress.deletes)))
        })
        .collect();
    let among = format!("{} deletes, {} refreshes", count(stress.deletes), count(stress.refreshes));
    let mut text = if seen.is_empty() {
        // Zero hits in N trials bound the rate.
        let most = figure(Trials::deletes(stress).losses_below());
        format!("none in {among}: below {most} per million deletes (95 %)")
    } else {
        format!("{} in {among}", seen.join(", "))
    };
    if !stress.errors.is_empty() {
        let errors: Vec<String> =
            stress.errors.iter().map(|(name, times)| format!("{name} {}", count(*times))).collect();
        text.push_str(&format!("; errors of map operations: {}", errors.join(", ")));
    }
    text
}

/// How far several runs lie apart.
fn spread(row: &Row) -> String {
    row.spread.map_or_else(String::new, |spread| {
        let (least, most) = (figure(spread.least), figure(spread.most));
        format!("; {} runs from {least} to {most} per million", spread.runs)
    })
}
