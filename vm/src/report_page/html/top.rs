// SPDX-License-Identifier: MIT OR Apache-2.0
//! The answer, the objections, and what a datapath engineer takes home.

use maud::{Markup, html};

use super::{badge, not_run, part, sources::line};
use crate::report_page::page::{Objection, Page};

/// What one sees first.
pub fn header(page: &Page) -> Markup {
    html! {
        header {
            p.eyebrow { "BPF_F_COMPARE · compare and delete for BPF hash maps" }
            h1 { "Who loses entries, and what does it cost to keep them?" }
            p.answer { (page.answer.sentence) }
            @if !page.answer.tiles.is_empty() {
                ul.tiles {
                    @for tile in &page.answer.tiles {
                        li { a href={ "#" (tile.link) } {
                            span.figure { (tile.figure) }
                            span.what { (tile.what) }
                        } }
                    }
                }
            }
            @for trouble in &page.troubles { p.trouble role="note" { strong { "! " } (trouble) } }
            @for source in &page.sources {
                @if let Some(environment) = &source.environment {
                    p.env { strong { (source.name) } ": " (line(environment)) }
                }
            }
        }
    }
}

/// A card for each objection.
pub fn objections(page: &Page) -> Markup {
    let content = html! {
        p { "Each verdict is counted from the cells and figures that it links to; the proposal is held to the same rule." }
        div.cards { @for objection in &page.objections { (card(objection)) } }
    };
    part("objections", "The reply, objection by objection", &content)
}

fn card(objection: &Objection) -> Markup {
    html! {
        article id=(objection.id) {
            h3 { (objection.title) }
            p.claim { "“" (objection.claim) "”" }
            p { (badge(objection.fate.mark(), objection.fate.words())) }
            ul {
                @for finding in &objection.findings {
                    li {
                        (finding.text)
                        @if !finding.links.is_empty() {
                            " " span.links { @for (words, anchor) in &finding.links { a href={ "#" (anchor) } { (words) } " " } }
                        }
                    }
                }
            }
        }
    }
}

/// What one may choose stands out.
fn is_safe(part: &str) -> bool {
    part.starts_with("safe with ") && !part.starts_with("safe with no ")
}

/// One sentence each, in its parts.
pub fn disciplines(page: &Page) -> Markup {
    let content = html! {
        p { "How a datapath refreshes an entry decides which garbage collector may delete it." }
        @if page.disciplines.is_empty() { (not_run("cargo xtask races")) }
        dl.disciplines {
            @for sentence in &page.disciplines {
                @let (name, rest) = sentence.split_once(": ").unwrap_or(("", sentence));
                div { dt { code { (name) } } dd { ul { @for part in rest.split("; ") { li.yes[is_safe(part)] { (part) } } } } }
            }
        }
    };
    part("disciplines", "How must a datapath refresh an entry?", &content)
}
