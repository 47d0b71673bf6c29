// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page: one file, nothing fetched, no script. Whatever it says is in [`Page`].

mod bars;
mod claims;
mod costs;
mod curves;
mod evidence;
mod matrix;
mod safety;
mod sources;
mod top;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::page::{Mark, Page, Table};

/// Looks, in light, in dark and on paper.
const STYLE: &str = include_str!("style.css");

/// The parts of the page, with their anchors.
const PARTS: [(&str, &str); 11] = [
    ("safety", "What safety takes"),
    ("objections", "Objections"),
    ("claims", "Claims"),
    ("matrix", "Matrix"),
    ("natively", "Natively"),
    ("disciplines", "Disciplines"),
    ("costs", "Costs"),
    ("goals", "Goals"),
    ("connections", "Connections"),
    ("evidence", "Evidence"),
    ("sources", "Sources"),
];

/// What the page is called.
pub const TITLE: &str = "What it takes to lose no entry of a BPF map";

/// The whole document.
pub fn render(page: &Page) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="description" content=(page.answer.sentence);
                title { (TITLE) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#safety" { "To what safety takes" }
                (top::header(page))
                nav aria-label="Parts" {
                    ul { @for (id, title) in PARTS { li { a href={ "#" (id) } { (title) } } } }
                }
                main {
                    (safety::section(page))
                    (top::objections(page))
                    (claims::section(page))
                    (matrix::section(page))
                    (matrix::native(page))
                    (top::disciplines(page))
                    (costs::section(page))
                    (costs::goals(page))
                    (connections(page))
                    (evidence::section(page))
                    (sources::section(page))
                }
            }
        }
    };
    markup.into_string()
}

/// A part of the page with its heading.
fn part(id: &str, title: &str, content: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) " " a.anchor href={ "#" (id) } aria-label="Link to this part" { "#" } }
            (content)
        }
    }
}

pub use self::claims::tally;

/// Sign and word; the colour only repeats them.
fn badge(mark: Mark, words: &str) -> Markup {
    html! { span class={ "badge " (mark.class()) } { span.sign aria-hidden="true" { (mark.sign()) } " " (words) } }
}

/// Said instead of what is not there.
fn not_run(command: &str) -> Markup {
    html! { p.not-run { "Not run. " code { (command) } " makes it." } }
}

/// A table that scrolls in a box of its own.
fn table(table: &Table) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(table.caption) {
            table id=(table.id) {
                caption { (table.caption) }
                thead { tr { @for head in &table.head { th scope="col" { (head) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (i, cell) in row.iter().enumerate() {
                                @if i == 0 { th scope="row" { (cell) } } @else { td.num[is_figure(cell)] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
        @for note in &table.notes { p.note { (note) } }
    }
}

/// Figures stand right.
fn is_figure(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit() || "<±-".contains(c))
}

fn connections(page: &Page) -> Markup {
    let content = html! {
        p { "Clients open, close and reopen TCP connections through the XDP datapath while GC works on its maps." }
        @match &page.connections {
            Some(run) => (table(run)),
            None => (not_run("cargo xtask races")),
        }
    };
    part("connections", "Real connections", &content)
}
