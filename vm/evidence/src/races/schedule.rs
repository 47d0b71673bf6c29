// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which step of a schedule to look at when the kernel does not follow it.

use results::races::{Side, Step, Violation};

use super::{matrix::Matrix, row::Row};

/// Whose step brings a violation about.
fn actor(violation: Violation) -> &'static str {
    match violation {
        Violation::StrayWrite | Violation::ForeignValue => "packet",
        Violation::LostRefresh
        | Violation::StaleRestore
        | Violation::Gap
        | Violation::DoubleDelete
        | Violation::NeverRemoved => "gc",
    }
}

/// What follows an unlink inside the same call, and decides nothing.
const AFTERMATH: &str = "free";

/// The last step of the actor concerned, with its number.
fn decisive(violation: Violation, steps: &[Step]) -> Option<(usize, &Step)> {
    let numbered = || steps.iter().enumerate().map(|(i, step)| (i + 1, step));
    // A second collector is called after the first.
    let concerned = |step: &Step| step.actor.starts_with(actor(violation)) && step.label != AFTERMATH;
    numbered().rfind(|(_, step)| concerned(step)).or_else(|| numbered().next_back())
}

fn words(step: &Step) -> String {
    format!("{} `{}` ({})", step.actor, step.label, step.function)
}

/// Where to look when a replay of this cell's own schedule did not show what the model says.
pub fn in_own(violation: Violation, steps: &[Step]) -> String {
    match decisive(violation, steps) {
        Some((number, step)) => {
            let all = steps.len();
            format!("look at step {number} of the schedule's {all}: {}: {}", words(step), step.text)
        }
        None => "the schedule has no step at all: look at the model's output".into(),
    }
}

/// Where to look when the kernel shows what the model of this cell has no schedule for: at the step with which another
/// cell's schedule ends, the more alike the better.
pub fn in_others(violation: Violation, row: &Row, matrix: &Matrix) -> String {
    let alike = |other: &Row| {
        let (a, b) = (&row.cell, &other.cell);
        (a.gc == b.gc && a.refresh == b.refresh, a.gc == b.gc, a.refresh == b.refresh, a.map == b.map)
    };
    let schedule =
        |other: &Row| other.model.as_ref().and_then(|m| m.counterexamples.get(&violation)).cloned();
    let nearest = matrix
        .rows
        .iter()
        .filter_map(|other| Some((alike(other), other, schedule(other)?)))
        .max_by_key(|(alike, ..)| *alike);
    if let Some((_, other, steps)) = nearest
        && let Some((_, step)) = decisive(violation, &steps)
    {
        return format!(
            "the model has no schedule for it; look at what it makes here of {}, with which its schedule for {} turns",
            words(step),
            other.cell
        );
    }
    let side = if actor(violation) == "gc" { Side::Gc } else { Side::Refresh };
    let name = if side == Side::Gc { &row.cell.gc } else { &row.cell.refresh };
    let last = matrix
        .undisturbed(side, name)
        .and_then(|undisturbed| undisturbed.steps.iter().rfind(|step| step.label != AFTERMATH));
    match last {
        Some(step) => {
            format!("the model has no schedule for it in any cell; look at what it makes of {}", words(step))
        }
        None => {
            format!(
                "the model has no schedule for it in any cell; look at the steps that it has for `{name}`"
            )
        }
    }
}
