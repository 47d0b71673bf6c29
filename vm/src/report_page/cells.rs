// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the rows of `matrix.json` to the matrix of the page.

use results::races::{Model, Step, Stress, Violation};

use super::{
    group,
    page::{CellShown, Group, Mark, MatrixPart, Pair, Schedule},
    words::{count, short},
};
use crate::races::{Matrix, Row, Verdict, below, figure, per_million, verdict};

/// The anchor of a pair.
pub fn id_of(refresh: &str, gc: &str) -> String {
    format!("pair-{refresh}-{}", gc.replace('+', "-"))
}

/// The matrix as the page has it.
pub fn part(matrix: &Matrix) -> MatrixPart {
    let (refreshes, gcs) = (matrix.names(|cell| &cell.refresh), matrix.names(|cell| &cell.gc));
    let meets = |refresh: &str| {
        let mut met: Vec<&str> = Vec::new();
        for row in matrix.rows.iter().filter(|row| row.cell.refresh == refresh) {
            if !met.contains(&row.cell.gc.as_str()) {
                met.push(&row.cell.gc);
            }
        }
        met.len()
    };
    // A discipline that works with one strategy alone would be a column of blanks, if others have more.
    let most = refreshes.iter().map(|refresh| meets(refresh)).max().unwrap_or_default();
    let columns: Vec<String> = refreshes
        .iter()
        .filter(|refresh| most == 1 || meets(refresh) > 1)
        .map(|name| (*name).into())
        .collect();
    let mut pairs = Vec::new();
    for gc in &gcs {
        for refresh in &refreshes {
            let rows: Vec<&Row> =
                matrix.rows.iter().filter(|row| row.cell.refresh == *refresh && row.cell.gc == *gc).collect();
            if !rows.is_empty() {
                pairs.push(pair(refresh, gc, &rows));
            }
        }
    }
    let shown: Vec<&str> = gcs
        .iter()
        .copied()
        .filter(|gc| pairs.iter().any(|pair| pair.gc == *gc && columns.contains(&pair.refresh)))
        .collect();
    let groups = group::of(&shown)
        .into_iter()
        .map(|(title, gcs)| Group { title: title.into(), gcs: gcs.into_iter().map(Into::into).collect() })
        .collect();
    let maps = matrix.names(|cell| &cell.map).into_iter().map(Into::into).collect();
    MatrixPart { refreshes: columns, groups, maps, pairs, not_run: None }
}

fn pair(refresh: &str, gc: &str, rows: &[&Row]) -> Pair {
    let mut schedules: Vec<Schedule> = Vec::new();
    for row in rows {
        let Some((violation, steps)) =
            row.model.as_ref().and_then(|model| model.counterexamples.iter().next())
        else {
            continue;
        };
        let steps: Vec<[String; 3]> = steps.iter().map(told).collect();
        let map = row.cell.map.clone();
        match schedules.iter_mut().find(|known| known.violation == violation.words() && known.steps == steps)
        {
            Some(known) => known.maps.push(map),
            None => schedules.push(Schedule { violation: violation.words().into(), maps: vec![map], steps }),
        }
    }
    Pair {
        id: id_of(refresh, gc),
        refresh: refresh.into(),
        gc: gc.into(),
        cells: rows.iter().map(|row| cell(row)).collect(),
        schedules,
    }
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
            worst @ (Violation::LostRefresh | Violation::StrayWrite | Violation::StaleRestore),
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
        stress: row.stress.as_ref().map(|s| stress(row, s)),
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
        (None, _) => Some(format!("<{}", short(below(stress.deletes)))),
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

fn stress(row: &Row, stress: &Stress) -> String {
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
        // Zero hits in N trials bounds the rate at 3/N.
        format!("none in {among}: below {} per million deletes (95 %)", figure(below(stress.deletes)))
    } else {
        format!("{} in {among}", seen.join(", "))
    };
    if let Some(spread) = row.spread {
        text.push_str(&format!(
            "; {} runs from {} to {} per million",
            spread.runs,
            figure(spread.least),
            figure(spread.most)
        ));
    }
    if !stress.errors.is_empty() {
        let errors: Vec<String> =
            stress.errors.iter().map(|(name, times)| format!("{name} {}", count(*times))).collect();
        text.push_str(&format!("; errors of map operations: {}", errors.join(", ")));
    }
    text
}

/// The highest rate of cells of one outcome; a bound only if there is nothing else.
pub fn highest<'a>(cells: &[&'a CellShown]) -> Option<&'a str> {
    let size = |rate: &str| {
        let number = rate.trim_start_matches('<');
        let (digits, factor) = match number.strip_suffix('M') {
            Some(digits) => (digits, 1e6),
            None => number.strip_suffix('k').map_or((number, 1.0), |digits| (digits, 1e3)),
        };
        // Below every figure that was counted.
        let bound = if rate.starts_with('<') { 1e-9 } else { 1.0 };
        digits.parse::<f64>().unwrap_or_default() * factor * bound
    };
    cells.iter().filter_map(|cell| cell.rate.as_deref()).max_by(|a, b| size(a).total_cmp(&size(b)))
}
