// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table that the page opens with: what safety takes.

use maud::{Markup, html};

use super::parts::{badge, not_run, part};
use crate::{
    numbers::{times, value},
    page::{Mark, Page, Patch, Price, SafeLine, Safety},
};

/// The heads, in order.
const HEADS: [&str; 17] = [
    "combination",
    "kernel",
    "maps",
    "who has to cooperate",
    "a packet",
    "a packet, natively",
    "a removal",
    "a removal, natively",
    "opens refused per million",
    "bytes an entry",
    "a flow",
    "given up",
    "what breaks it",
    "on PREEMPT_RT",
    "emulated",
    "native",
    "stock kernels",
];

/// All lines.
pub fn section(page: &Page) -> Markup {
    let safety = &page.safety;
    let content = html! {
        p {
            "Each line is a refresh discipline with the collectors of one family that lose nothing with it, by all evidence there
            is. Prices are those of the cheapest collector. × is in relation to a plain store for a packet, and to a plain delete
            by key for a removal. What was counted under emulation and what was timed natively never share a column."
        }
        @if let Some(command) = &safety.not_run { (not_run(command)) }
        @for said in &safety.contradicted { p.trouble role="note" { strong { "! " } (said) } }
        @if safety.not_run.is_none() && safety.lines.is_empty() { p.not-run { "Nothing is safe by the evidence there is." } }
        @if !safety.lines.is_empty() { (grid(safety)) }
    };
    part("safety", "What safety takes", &content)
}

fn grid(safety: &Safety) -> Markup {
    html! {
        div.scroll.tall tabindex="0" role="region" aria-label="What safety takes" {
            table.safety {
                caption {
                    "What safety takes. A packet and a removal are in "
                    (or_not_run(&safety.counted_in)) "; natively in " (or_not_run(&safety.timed_in)) "."
                }
                thead { tr { @for head in HEADS { th scope="col" { (head) } } } }
                @for patch in Patch::ALL {
                    @if safety.of(patch).next().is_some() {
                        tbody {
                            tr.group { th colspan=(HEADS.len()) scope="rowgroup" { span { (patch.title()) } } }
                            @for line in safety.of(patch) { (row(line)) }
                        }
                    }
                }
            }
        }
    }
}

fn or_not_run(unit: &str) -> &str {
    if unit.is_empty() { "(not run)" } else { unit }
}

fn row(line: &SafeLine) -> Markup {
    html! {
        tr id=(line.id) {
            th scope="row" { code { (line.refresh) } " × " code { (line.gcs.join(", ")) } span.family { (line.family) } }
            td { (line.kernel) }
            td { @for map in &line.maps { (badge(Mark::Safe, map)) " " } (list(&line.elsewhere, "")) }
            td { (line.cooperate) }
            td { (prices(&line.packet.counted)) }
            td { (prices(&line.packet.timed)) }
            td { (prices(&line.removal.counted)) }
            td { (prices(&line.removal.timed)) }
            td { (line.opens_refused) }
            td { (line.bytes) }
            td { (line.flows) }
            td.wide { (list(&line.gives_up, "nothing is named")) }
            td.wide {
                (list(&line.breaks, if line.survives.is_empty() { "not run" } else { "nothing that was tried" }))
                @if !line.survives.is_empty() {
                    details { summary { "survived " (line.survives.len()) } (list(&line.survives, "")) }
                }
                @if !line.untried.is_empty() && line.survives.len() + line.breaks.len() > 0 { p.note { "Not run: " (line.untried.join(", ")) "." } }
            }
            td.wide { (line.preempted.words) }
            td.wide { (line.emulated) }
            td.wide { (line.native) }
            td.wide { (line.stock) }
        }
    }
}

fn prices(prices: &[Price]) -> Markup {
    html! {
        @if prices.is_empty() { "not run" }
        ul.prices { @for price in prices {
            li { (price.of) " " b { (value(price.value)) } @if let Some(ratio) = price.ratio { " (" (times(ratio)) ")" }
                @if let Some(by) = &price.by { " " code { (by) } } }
        } }
    }
}

fn list(items: &[String], none: &str) -> Markup {
    html! {
        @if items.is_empty() { (none) } @else { ul.prices { @for item in items { li { (item) } } } }
    }
}
