// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ran on kernels as they are: no patch, no virtual machine, no emulator. Beside the matrix, and never in one column with
//! what was emulated.

use evidence::races::{Row, Trials, per_million};

use super::{
    cells::{grids, id_of, word},
    kinds::{Evidence, Found, Natively, counted},
    numbers::{count, short},
    page::{Chip, HERE, Mark, NativePart, Table},
};
use results::races::Violation;

/// The grids of the host's own kernel, and one line for each kernel.
pub fn part(evidence: &Evidence) -> NativePart {
    NativePart {
        machine: evidence.here.as_ref().map(|here| here.machine.clone()).unwrap_or_default(),
        grids: evidence.here.as_ref().map(|here| grids(&here.matrix, "here", chip)).unwrap_or_default(),
        kernels: kernels(evidence),
        not_run: evidence.here.is_none().then(|| HERE.into()),
    }
}

/// What was counted, in a word. That nothing was counted is no proof: it is a bound.
fn chip(row: &Row) -> Option<Chip> {
    let link = id_of(&row.cell.refresh, &row.cell.gc);
    if let Some(stress) = &row.stress {
        return Some(match counted(stress) {
            Some((violation, seen)) => Chip {
                mark: match violation {
                    Violation::Gap | Violation::DoubleDelete | Violation::NeverRemoved => Mark::Lesser,
                    _ => Mark::Bad,
                },
                word: word(violation).into(),
                more: 0,
                rate: Some(short(per_million(seen, stress.deletes))),
                link,
            },
            None if stress.deletes == 0 => {
                Chip { mark: Mark::Alarm, word: "no delete".into(), more: 0, rate: None, link }
            }
            None => Chip {
                mark: Mark::Safe,
                word: "none".into(),
                more: 0,
                rate: Some(format!("<{}", short(Trials::deletes(stress).losses_below()))),
                link,
            },
        });
    }
    let refusal = row.refused.as_ref()?;
    Some(Chip { mark: Mark::Refused, word: refusal.errno.clone(), more: 0, rate: None, link })
}

/// The host's own kernel first, then stock kernels.
fn kernels(evidence: &Evidence) -> Option<Table> {
    let judged = evidence.natively().map(|native| line(native, against(evidence, native)));
    let told = evidence.preempting.iter().map(|native| line(native, "nothing is claimed of it".into()));
    let rows: Vec<Vec<String>> = judged.chain(told).collect();
    (!rows.is_empty()).then(|| Table {
        id: "kernels-table".into(),
        caption: "Kernels as they are: how many cells ran, and in how many something went wrong".into(),
        head: ["kernel", "ran", "went wrong", "none seen", "refused", "refreshes", "deletes", "against the emulated evidence"]
            .map(Into::into)
            .into(),
        rows,
        notes: vec![
            "None seen bounds a rate and proves nothing by itself: a cell is safe only if the model has no schedule for it, too."
                .into(),
        ],
    })
}

/// Whether anything went wrong.
fn is_wrong(row: &&Row) -> bool {
    row.stress.as_ref().is_some_and(|stress| counted(stress).is_some())
}

/// In how many cells a kernel contradicts the emulated evidence.
fn against(evidence: &Evidence, native: &Natively) -> String {
    let wrong = native.matrix.rows.iter().filter(is_wrong);
    match wrong.filter(|row| matches!(evidence.found(&row.cell), Some(Found::Contradicted(..)))).count() {
        0 => "agrees".into(),
        against => format!("contradicts it in {against}"),
    }
}

fn line(native: &Natively, against: String) -> Vec<String> {
    let rows = &native.matrix.rows;
    let ran: Vec<&Row> = rows.iter().filter(|row| row.stress.is_some()).collect();
    let bad = ran.iter().copied().filter(is_wrong).count();
    let refused = rows.iter().filter(|row| row.stress.is_none() && row.refused.is_some()).count();
    let sum = |of: fn(&results::races::Stress) -> u64| {
        ran.iter().filter_map(|row| row.stress.as_ref()).map(of).sum::<u64>()
    };
    vec![
        native.machine.clone(),
        ran.len().to_string(),
        bad.to_string(),
        (ran.len() - bad).to_string(),
        refused.to_string(),
        count(sum(|stress| stress.refreshes)),
        count(sum(|stress| stress.deletes)),
        against,
    ]
}
