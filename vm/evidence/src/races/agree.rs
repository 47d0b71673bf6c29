// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the kinds of evidence of one cell agree. The model says what can go wrong, the witness has to show each of
//! it, and the stress nothing else. That the stress did not happen to show something is no disagreement: it is bounded.

mod alone;
mod disturbed;
mod findings;

use approaches::Place;
use results::races::{Model, Stress, Violation};

pub use self::findings::Terms;
use self::findings::{Elsewhere, Findings};
use super::{
    matrix::Matrix,
    rate::{bound, figure, per_million},
    row::{Row, Standing},
    schedule,
};

/// What is made of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// How it stands.
    pub standing: Standing,
    /// Why.
    pub notes: Vec<String>,
    /// Why there is no evidence of the kernel, where the catalogue says so.
    pub absent: Option<String>,
}

/// How `row` stands, and why.
pub fn judge(row: &Row, matrix: &Matrix, terms: Terms<'_>) -> Judgement {
    let elsewhere = |violation| schedule::in_others(violation, row, matrix);
    let mut found = Findings::default();
    let (mut alone, mut absent) = alone::alone(row, terms, &mut found);
    match &row.model {
        // What the kernel refuses need not be explored.
        None if alone == Some(Standing::Refused) => {}
        None => found.missing.push("the model says nothing of it".into()),
        Some(model) => {
            explored(model, &mut found);
            if alone.is_none() {
                witness(row, model, terms, &elsewhere, &mut found);
                stress(row, model, terms, &elsewhere, &mut found);
                disturbed::judge(row, model, terms, &elsewhere, &mut found);
                if terms.no_debugger && unseen(row, model) {
                    let reason = "without a debugger its schedule cannot be replayed, and the stress did not happen to show it";
                    (alone, absent) = (Some(Standing::Absent), Some(reason.to_owned()));
                    found.notes.insert(0, format!("the model alone: {reason}"));
                }
            }
        }
    }
    let Findings { wrong, mut missing, notes } = found;
    if let Some(last) = missing.last_mut()
        && !terms.cut_short.is_empty()
    {
        last.push_str(&format!(" ({})", terms.cut_short));
    }
    let standing = match (wrong.is_empty(), missing.is_empty(), alone) {
        (false, ..) => Standing::Disagree,
        (_, false, _) => Standing::Missing,
        (_, _, Some(alone)) => alone,
        _ => Standing::Agree,
    };
    Judgement { standing, notes: [wrong, missing, notes].concat(), absent }
}

fn explored(model: &Model, found: &mut Findings) {
    if model.states == 0 {
        found.missing.push("the model explored no state".into());
    }
    if model.counterexample.is_some() && model.counterexamples.is_empty() {
        found.missing.push("the model has a schedule and does not say what goes wrong in it".into());
    }
    if model.counterexamples.is_empty() {
        found.notes.push(format!("no counter-example in {} states ({})", model.states, model.memory));
    } else {
        let kinds: Vec<String> = model
            .counterexamples
            .iter()
            .map(|(violation, steps)| format!("{violation} in {} steps", steps.len()))
            .collect();
        found.notes.push(format!("{} ({} states, {})", kinds.join(", "), model.states, model.memory));
    }
}

/// Nothing of what the model has was tried or seen in the kernel.
fn unseen(row: &Row, model: &Model) -> bool {
    let tried = |violation: &Violation| {
        let replays = row.witness.as_ref().and_then(|witness| witness.by_violation.get(violation));
        replays.is_some_and(|(_, tried)| *tried > 0)
    };
    let counted = |violation: &Violation| {
        row.stress.as_ref().is_some_and(|stress| stress.violations.of(*violation) > 0)
    };
    let shown = |violation: &Violation| tried(violation) || counted(violation);
    !model.counterexamples.is_empty() && !model.counterexamples.keys().any(shown)
}

fn witness(row: &Row, model: &Model, terms: Terms<'_>, elsewhere: Elsewhere<'_>, found: &mut Findings) {
    let notes = row.witness.iter().flat_map(|w| &w.notes).fold(String::new(), |all, note| all + "; " + note);
    for violation in Violation::ALL {
        let replays = row.witness.as_ref().and_then(|w| w.by_violation.get(&violation)).copied();
        let tried = replays.is_some_and(|(_, tried)| tried > 0);
        if let Some(why) = row.witness.as_ref().and_then(|w| w.beyond.get(&violation)).filter(|_| !tried) {
            found.notes.push(format!("{violation}: nothing can replay the schedule: {why}"));
            continue;
        }
        match (model.counterexamples.get(&violation), replays.unwrap_or_default()) {
            (Some(_), (_, 0)) => {
                let said = format!("{violation}: the schedule was not replayed{notes}");
                // Where the lab did try to replay, it says in its notes what it could not hold.
                let excused = terms.no_debugger && row.witness.is_some();
                if excused { found.notes.push(said) } else { found.missing.push(said) }
            }
            (Some(steps), (seen, tried)) if seen < tried => found.wrong.push(format!(
                "{violation}: the model has a schedule, the kernel followed it in {seen} of {tried} replays{notes}; {}",
                schedule::in_own(violation, steps)
            )),
            (Some(_), (seen, tried)) => {
                let by = row.witness.as_ref().map_or("", |w| w.held_by.as_str());
                found.notes.push(format!("{violation}: seen in {seen} of {tried} replays ({by})"));
            }
            (None, (0, _)) => {}
            (None, (seen, tried)) => found.wrong.push(format!(
                "{violation}: the witness saw it in {seen} of {tried} replays; {}",
                elsewhere(violation)
            )),
        }
    }
}

/// Whether nothing is claimed of it on a kernel that preempts packets: the catalogue says that its collector stands none, or it
/// loses on any kernel.
fn claims_nothing_there(row: &Row, model: &Model) -> bool {
    !model.counterexamples.is_empty() || Place::of(&row.cell).is_some_and(|place| place.gc.whole_packets)
}

fn stress(row: &Row, model: &Model, terms: Terms<'_>, elsewhere: Elsewhere<'_>, found: &mut Findings) {
    let Some(stress) = &row.stress else {
        found.missing.push("no stress ran".into());
        return;
    };
    if stress.refreshes == 0 {
        found.missing.push("the stress refreshed nothing, so it says nothing".into());
    }
    if row.should_have_evicted(stress) {
        found.evicted_nothing("", terms);
    }
    if stress.deletes == 0 && stress.violations.never_removed == 0 {
        found.missing.push("the stress removed nothing, so it says nothing".into());
    }
    for violation in Violation::ALL {
        let (predicted, seen) =
            (model.counterexamples.contains_key(&violation), stress.violations.of(violation));
        match (predicted, seen) {
            (false, 0) => {}
            (false, _) if terms.preempts_packets && claims_nothing_there(row, model) => found.notes.push(format!(
                "breaks on a kernel that preempts packets: {violation}, {} per million deletes ({seen} of {})",
                figure(per_million(seen, stress.deletes)),
                stress.deletes
            )),
            (false, _) => found.wrong.push(format!(
                "{violation}: the stress counted {seen} in {} deletes and {} refreshes; {}",
                stress.deletes,
                stress.refreshes,
                elsewhere(violation)
            )),
            (true, 0) => found.notes.push(format!(
                "{violation}: not seen by the stress in {} deletes and {} refreshes",
                stress.deletes, stress.refreshes
            )),
            (true, _) => found.notes.push(format!(
                "{violation}: {} per million deletes ({seen} of {})",
                figure(per_million(seen, stress.deletes)),
                stress.deletes
            )),
        }
    }
    if row.model_is_clean() && stress.violations.total() == 0 {
        found.notes.push(bound(stress));
    }
    room(stress, found);
}

/// What a full map did to flows. None of it is a violation: eviction is what an LRU map is for, and everybody's loss.
fn room(stress: &Stress, found: &mut Findings) {
    if stress.evicted > 0 {
        found.notes.push(format!(
            "the map evicted {} entries for want of room, {} of them live",
            stress.evicted, stress.evicted_live
        ));
    }
    if stress.undecided > 0 {
        found.notes.push(format!(
            "{} of these may be the collector's doing: it was at an entry of that flow when they went; the bound counts them",
            stress.undecided
        ));
    }
    if stress.opens_refused > 0 {
        found.notes.push(format!(
            "{} of {} flows could not open: a dead entry was in the way, or there was no room",
            stress.opens_refused, stress.opens
        ));
    }
}

#[cfg(test)]
mod tests;
