// SPDX-License-Identifier: MIT OR Apache-2.0
//! Free runs in circumstances that are worse than a cell's claim has them: another CPU, a tag in common, a second collector,
//! somebody who does not follow the protocol.

use results::races::{Circumstance, Model, Violation};

use super::findings::{Elsewhere, Findings, Terms};
use crate::races::{
    rate::{bound, figure, per_million},
    row::{Disturbed, Row},
};

/// Whether what the model has not found in `circumstance` is what cannot happen there. What it finds there beyond the claim is
/// in `if_worse`, where a circumstance without anything is left out. Where the claim is broken already, worse circumstances
/// are not explored: there is nothing left to break.
fn is_explored(model: &Model, circumstance: Circumstance) -> bool {
    model.counterexamples.is_empty() || model.if_worse.contains_key(&circumstance)
}

/// Holds the runs against the model.
pub fn judge(row: &Row, model: &Model, terms: Terms<'_>, elsewhere: Elsewhere<'_>, found: &mut Findings) {
    for (circumstance, worse) in &model.if_worse {
        let kinds: Vec<String> =
            worse.iter().map(|(violation, steps)| format!("{violation} in {} steps", steps.len())).collect();
        if !kinds.is_empty() {
            found.notes.push(format!("the model with {}: {}", circumstance.words(), kinds.join(", ")));
        }
    }
    row.disturbed.iter().for_each(|run| one(row, run, model, terms, elsewhere, found));
}

fn one(
    row: &Row,
    run: &Disturbed,
    model: &Model,
    terms: Terms<'_>,
    elsewhere: Elsewhere<'_>,
    found: &mut Findings,
) {
    let Disturbed { circumstance, stress } = run;
    let with = circumstance.words();
    let worse = model.if_worse.get(circumstance);
    for violation in Violation::ALL {
        let seen = stress.violations.of(violation);
        let claimed = model.counterexamples.contains_key(&violation);
        let predicted = claimed || worse.is_some_and(|worse| worse.contains_key(&violation));
        if seen == 0 {
            continue;
        }
        if predicted || !is_explored(model, *circumstance) {
            let rate = figure(per_million(seen, stress.deletes));
            found.notes.push(format!(
                "breaks with {with}: {violation}, {rate} per million deletes ({seen} of {})",
                stress.deletes
            ));
        } else {
            found.wrong.push(format!(
                "{violation} with {with}: the stress counted {seen} in {} deletes and {} refreshes; {}",
                stress.deletes,
                stress.refreshes,
                elsewhere(violation)
            ));
        }
    }
    if row.should_have_evicted(stress) {
        found.evicted_nothing(&format!("with {with} "), terms);
    }
    if stress.refreshes == 0 {
        found.notes.push(format!("with {with} the stress refreshed nothing, so it says nothing"));
    } else if stress.violations.total() == 0 {
        found.notes.push(format!("holds with {with}: {}", bound(stress)));
    }
}
