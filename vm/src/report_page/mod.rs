// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report: who loses entries and what each approach costs, as one page, as text for a cover letter, and as JSON.
//!
//! Files of other commands ([`input`]) become a [`Page`], in which every sentence is made of cells and figures; the page
//! ([`html`]) and the text ([`text`]) are made of that alone.

mod alternatives;
mod answer;
pub mod browser;
mod cells;
mod connections;
mod costs;
mod figures;
mod goals;
mod group;
mod html;
mod input;
mod objections;
mod page;
mod sources;
mod text;
mod words;

#[cfg(test)]
mod made_up;
#[cfg(test)]
mod tests;

pub use self::{
    figures::BenchFile,
    html::render,
    input::{Input, RacesFile, read},
    page::Page,
    sources::TestsFile,
    text::render as render_text,
};

use self::{
    figures::Figures,
    page::{Costs, MatrixPart},
};
use crate::races::Matrix;

/// What there is to report of.
pub struct Inputs {
    /// `matrix.json`.
    pub races: Input<RacesFile>,
    /// `bench.json`.
    pub bench: Input<BenchFile>,
    /// `calibrate.json`.
    pub calibrate: Input<BenchFile>,
    /// vm-test's `report.json`.
    pub vm_test: Input<TestsFile>,
    /// The kernel's own selftests.
    pub kselftest: Input<TestsFile>,
}

/// Puts it together.
pub fn page(inputs: &Inputs) -> Page {
    let races = inputs.races.read();
    let matrix =
        Matrix { rows: races.map(|file| file.cells.clone()).unwrap_or_default(), undisturbed: Vec::new() };
    let figures = inputs.bench.read().map(Figures::of);
    let native = inputs.calibrate.read().map(Figures::of);
    let none = Figures::default();
    let seen = figures.as_ref().unwrap_or(&none);
    let safe = answer::safe_disciplines(&matrix);
    let mut part = MatrixPart { not_run: command_of(&inputs.races), ..cells::part(&matrix) };
    if part.pairs.is_empty() && part.not_run.is_none() {
        part.not_run = Some("cargo xtask races".into());
    }
    let mut costs = Costs {
        parts: costs::parts(seen),
        live: costs::live(seen, &safe),
        skipped: figures::skipped(seen),
        not_run: command_of(&inputs.bench),
    };
    if let Some(native) = &native {
        costs.parts.extend(costs::natively(native, seen));
    }
    let mut troubles = seen.troubles();
    for (name, verdict, reason) in [
        ("The races", races.map(|f| &f.environment.verdict), races.map(|f| &f.environment.reason)),
        (
            "The costs",
            inputs.bench.read().map(|f| &f.environment.verdict),
            inputs.bench.read().map(|f| &f.environment.reason),
        ),
    ] {
        if let (Some(verdict), Some(reason)) = (verdict, reason)
            && verdict != "passed"
        {
            troubles.push(format!("{name} did not pass ({}): {reason}", verdict.replace('_', " ")));
        }
    }
    Page {
        answer: answer::answer(&matrix, seen),
        matrix: part,
        objections: objections::weighed(&matrix, seen),
        disciplines: races.map(|file| file.verdicts.clone()).unwrap_or_default(),
        costs,
        goals: goals::all(figures.as_ref(), &safe),
        connections: races.and_then(|file| connections::table(&matrix, &file.environment)),
        sources: sources::all(
            &inputs.races,
            &inputs.bench,
            &inputs.calibrate,
            &[("The tests", &inputs.vm_test), ("The kernel's own selftests", &inputs.kselftest)],
        ),
        troubles,
    }
}

fn command_of<T>(input: &Input<T>) -> Option<String> {
    match input {
        Input::NotRun(command) => Some((*command).into()),
        Input::Read(_) => None,
    }
}
