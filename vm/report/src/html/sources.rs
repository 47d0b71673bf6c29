// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where all of it comes from, and how to make it again.

use maud::{Markup, html};

use super::parts::part;
use crate::{
    environment::Environment,
    page::{Page, Source},
};

/// Kernel, series, accel, vCPUs, host CPUs, date, command: what everything shown has to carry.
pub fn line(environment: &Environment) -> Markup {
    html! {
        @for (i, (name, value)) in environment.facts().iter().filter(|(name, _)| *name != "command").enumerate() {
            @if i > 0 { " · " }
            (name) " " b { (value) }
        }
        " · " code { (environment.command) }
    }
}

/// All inputs.
pub fn section(page: &Page) -> Markup {
    let content = html! {
        p { "Figures taken under different accel are never put in one column, and rows of kernels that differ in
            configuration or compiler are not compared. Emulation counts instructions exactly and knows nothing of caches,
            contention or latency: ratios last, absolute times do not." }
        div.cards { @for source in &page.sources { (card(source)) } }
    };
    part("sources", "Environment and commands", &content)
}

fn card(source: &Source) -> Markup {
    html! {
        article {
            h3 { (source.name) }
            p { code { (source.command) } }
            @match &source.environment {
                None => p.not-run { "Not run." },
                Some(environment) => dl.facts {
                    @for (name, value) in environment.facts() { dt { (name) } dd { (value) } }
                    @for (name, value) in &source.facts { dt { (name) } dd { (value) } }
                },
            }
        }
    }
}
