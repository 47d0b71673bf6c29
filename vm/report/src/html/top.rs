// SPDX-License-Identifier: MIT OR Apache-2.0
//! The answer, the doors, the objections, and what a datapath engineer takes home.

use maud::{Markup, html};

use super::{
    parts::{badge, not_run, part},
    sources::line,
};
use crate::page::{DoorShown, Objection, Page};

/// What one sees first.
pub fn header(page: &Page) -> Markup {
    html! {
        header {
            p.eyebrow { "Expired entries of BPF maps: delete one that was refreshed, and a connection breaks" }
            h1 { "What does it take to lose no entry?" }
            p.answer { (page.answer.sentence) }
            div.doors { @for door in &page.doors { (self::door(door)) } }
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

/// A way in: short as long as nobody opens it.
fn door(door: &DoorShown) -> Markup {
    html! {
        details.door id=(door.id) {
            summary { (door.asks) }
            @for said in &door.says { p { (said) } }
            @for item in &door.items {
                div.item {
                    p.head { @match &item.link { Some(link) => a href={ "#" (link) } { (item.head) }, None => (item.head) } }
                    @for (said, codes) in &item.parts {
                        p { (said) @for code in codes { br; code { (code) } } }
                    }
                }
            }
        }
    }
}

/// A card for each objection.
pub fn objections(page: &Page) -> Markup {
    let content = html! {
        p { "Each by its best form: what answers it without a patch comes first, then what it costs beside the proposal, then what it takes. The proposal is held to the same rule." }
        div.cards { @for objection in &page.objections { (card(objection)) } }
    };
    part("objections", "The reply, objection by objection", &content)
}

fn card(objection: &Objection) -> Markup {
    html! {
        article id=(objection.id) {
            h3 { (objection.title) }
            p.claim { "“" (objection.claim) "”" }
            p {
                (badge(objection.fate.mark(), objection.fate.words()))
                @if let Some(patch) = objection.patch { " " span.soft { (patch.title().to_lowercase()) } }
            }
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
