// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report: evidence in, a page and a text out. What safety takes, as one page, as text, as a mail, and as JSON. It takes no side.
//!
//! Files of other commands (`input`) become `Evidence`, in which each kind stays by itself. `Evidence` becomes a `Page`: every
//! sentence of it is made of cells and figures, or is a claim with its predicate (`claims`). The page (`html`) and the text
//! (`text`) are made of that alone.

mod alternatives;
mod answer;
mod catalogue;
mod cells;
mod claims;
mod comparison;
mod connections;
mod costs;
mod doors;
mod environment;
mod figures;
mod goals;
mod html;
mod input;
mod kinds;
mod native;
mod numbers;
mod objections;
mod page;
mod picture;
mod safety;
mod sources;
mod text;
mod words;

#[cfg(test)]
mod made_up;
#[cfg(test)]
mod tests;

pub use self::{
    html::render,
    input::{BenchFile, Input, Inputs, RacesFile, TestsFile},
    page::Page,
    picture::render as render_picture,
    text::{brief, render as render_text},
};

use ::evidence::races::preempts_packets;

use self::{
    claims::{CLAIMS, Claim},
    figures::Figures,
    kinds::{Evidence, Natively},
    page::{Costs, MatrixPart},
};

/// Puts it together.
pub fn page(inputs: &Inputs) -> Page {
    with_claims(inputs, CLAIMS)
}

/// The same with other claims.
fn with_claims(inputs: &Inputs, claims: &[Claim]) -> Page {
    let evidence = evidence(inputs);
    let races = inputs.races.read();
    let lines = safety::lines(&evidence);
    let safety = safety::table(&evidence, &lines);
    let claims = claims::checked(claims, &evidence);
    let mut part = MatrixPart { not_run: command_of(&inputs.races), ..cells::part(&evidence) };
    if part.pairs.is_empty() && part.not_run.is_none() {
        part.not_run = Some("cargo xtask races".into());
    }
    let figures = &evidence.figures;
    let mut costs = Costs {
        parts: costs::parts(figures),
        skipped: costs::skipped(figures),
        not_run: command_of(&inputs.bench),
    };
    if inputs.calibrate.read().is_some() {
        costs.parts.extend(costs::natively(&evidence.native, figures));
    }
    let mut gcs: Vec<&str> = lines.iter().flat_map(|line| line.gcs.iter().copied()).collect();
    catalogue::sort_columns(&mut gcs);
    gcs.dedup();
    let measured = inputs.bench.read().map(|_| figures);
    Page {
        answer: answer::answer(&evidence, &lines),
        doors: doors::all(&evidence, &lines, &claims),
        objections: objections::weighed(&evidence, &lines, &safety, &claims),
        matrix: part,
        native: native::part(&evidence),
        disciplines: races.map(|file| file.verdicts.clone()).unwrap_or_default(),
        goals: goals::all(measured, &gcs),
        connections: races.and_then(|file| connections::table(&evidence.emulated, &file.environment)),
        sources: sources::all(inputs),
        troubles: troubles(inputs, &evidence, &claims),
        safety,
        claims,
        costs,
    }
}

fn evidence(inputs: &Inputs) -> Evidence {
    let races = inputs.races.read();
    let series = races.and_then(|file| file.environment.kernel.as_ref()).map(|kernel| kernel.series.clone());
    let of = |input: &Input<BenchFile>| input.read().map(figures_of).unwrap_or_default();
    let preempts = |native: &Natively| preempts_packets(&native.release);
    let others = inputs.stock.iter().chain(inputs.rt.read()).map(Natively::of);
    let (mut preempting, stock): (Vec<_>, Vec<_>) = others.partition(preempts);
    let mut here = inputs.here.read().map(Natively::of);
    preempting.extend(here.take_if(|here| preempts(here)));
    Evidence {
        emulated: races.map(kinds::matrix).unwrap_or_default(),
        here,
        stock,
        preempting,
        figures: of(&inputs.bench),
        native: of(&inputs.calibrate),
        series: series.unwrap_or_default(),
    }
}

/// The figures of a file.
fn figures_of(file: &BenchFile) -> Figures {
    Figures::of(&file.record, file.environment.kernel.as_ref().map_or("", |kernel| &kernel.series))
}

/// What contradicts itself, does not hold, or did not pass.
fn troubles(inputs: &Inputs, evidence: &Evidence, claims: &[page::ClaimShown]) -> Vec<String> {
    let mut troubles = claims::troubles(claims);
    troubles.extend(evidence.contradictions());
    troubles.extend(comparison::troubles(&evidence.figures.rows));
    let environments = [
        ("The races", inputs.races.read().map(|file| &file.environment)),
        ("The races on this machine's own kernel", inputs.here.read().map(|file| &file.environment)),
        ("The races on a kernel that preempts packets", inputs.rt.read().map(|file| &file.environment)),
        ("The costs", inputs.bench.read().map(|file| &file.environment)),
    ];
    let stock = inputs.stock.iter().map(|file| ("The races on a stock kernel", Some(&file.environment)));
    for (name, environment) in environments.into_iter().chain(stock) {
        if let Some(environment) = environment
            && !["passed", ""].contains(&environment.verdict.as_str())
        {
            let verdict = environment.verdict.replace('_', " ");
            troubles.push(format!("{name} did not pass ({verdict}): {}", environment.reason));
        }
    }
    troubles
}

fn command_of<T>(input: &Input<T>) -> Option<String> {
    match input {
        Input::NotRun(command) => Some((*command).into()),
        Input::Read(_) => None,
    }
}
