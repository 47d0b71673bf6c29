// SPDX-License-Identifier: MIT OR Apache-2.0
//! The costs: charts with their tables, what a live entry pays, and the goals.

use maud::{Markup, html};

use super::{
    bars, curves,
    parts::{badge, not_run, part, table},
};
use crate::{
    numbers::value,
    page::{Chart, Goal, Mark, Page, Plot, Reached},
};

/// All charts.
pub fn section(page: &Page) -> Markup {
    let content = html! {
        @if let Some(command) = &page.costs.not_run { (not_run(command)) }
        @for cost in &page.costs.parts {
            section.cost id=(cost.id) aria-label=(cost.title) {
                h3 { (cost.title) }
                p { (cost.about) }
                div.charts { @for chart in cost.charts.iter().filter(|chart| !chart.folded) { (figure(chart)) } }
                @if cost.charts.iter().any(|chart| chart.folded) {
                    details.more { summary { (cost.charts.iter().filter(|chart| chart.folded).count()) " more charts" }
                        div.charts { @for chart in cost.charts.iter().filter(|chart| chart.folded) { (figure(chart)) } } }
                }
                @for rows in &cost.tables { (table(rows)) }
            }
        }
        @if !page.costs.skipped.is_empty() {
            details { summary { "Not measured (" (page.costs.skipped.len()) ")" }
                ul { @for skipped in &page.costs.skipped { li { (skipped) } } } }
        }
    };
    part("costs", "What it costs", &content)
}

/// A chart, what it says, and its figures.
fn figure(chart: &Chart) -> Markup {
    html! {
        figure.wide[matches!(chart.plot, Plot::Curves { .. })] id=(chart.id) {
            figcaption { strong { (chart.title) } " " span.unit { (chart.unit) ", " (chart.accel) } }
            p.says { (chart.says) }
            @match &chart.plot {
                Plot::Bars { reference, bars } => (bars::svg(chart, reference.as_ref(), bars)),
                Plot::Curves { x, curves } => (curves::panels(chart, x, curves)),
            }
            details { summary { "Figures" } (figures(chart)) }
        }
    }
}

fn figures(chart: &Chart) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Figures of " (chart.title) } {
            table {
                caption { (chart.title) ", " (chart.unit) ", " (chart.accel) }
                @match &chart.plot {
                    Plot::Bars { reference, bars } => {
                        thead { tr { th scope="col" { "" } th scope="col" { "median" } th scope="col" { "least" }
                            th scope="col" { "quartiles apart" } th scope="col" { "n" }
                            @if let Some((name, _)) = reference { th scope="col" { "÷ " (name) } } } }
                        tbody { @for bar in bars { tr {
                            th scope="row" { (bar.label) }
                            td.num { (value(bar.value)) } td.num { (value(bar.least)) } td.num { (value(bar.spread)) }
                            td.num { (bar.n) }
                            @if reference.is_some() {
                                td.num { (bar.ratio.map_or("–".into(), |ratio| format!("{ratio:.3}"))) }
                            }
                        } } }
                    },
                    Plot::Curves { x, curves } => {
                        thead { tr { th scope="col" { "" } th scope="col" { (x) } th scope="col" { (chart.unit) } } }
                        tbody { @for curve in curves { @for [at, y] in &curve.points { tr {
                            th scope="row" { (curve.label) }
                            td.num { (value(*at)) } td.num { (value(*y)) }
                        } } } }
                    },
                }
            }
        }
    }
}

/// Reached, not reached, not run.
pub fn goals(page: &Page) -> Markup {
    let content = html! {
        div.scroll tabindex="0" role="region" aria-label="Goals" {
            table.goals {
                caption { "Goals that were set before anything was measured" }
                thead { tr { th scope="col" { "what" } th scope="col" { "goal" } th scope="col" { "measured" } th scope="col" { "" } } }
                tbody { @for goal in &page.goals { tr id=(goal.id) {
                    th scope="row" { (goal.what) }
                    td { (goal.goal) }
                    td { (goal.measured) }
                    td { (reached(goal.reached)) }
                } } }
            }
        }
        @for Goal { what, profile, .. } in &page.goals {
            @if let Some(profile) = profile { details.profile open { summary { "What it is spent on: " (what) } (table(profile)) } }
        }
    };
    part("goals", "Goals", &content)
}

fn reached(reached: Reached) -> Markup {
    match reached {
        Reached::Yes => badge(Mark::Safe, "reached"),
        Reached::No => badge(Mark::Bad, "not reached"),
        Reached::NotRun => badge(Mark::ModelSafe, "not run"),
    }
}
