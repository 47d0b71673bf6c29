// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page: one file, nothing fetched, no script. Whatever it says is in [`Page`].

mod bars;
mod claims;
mod costs;
mod curves;
mod evidence;
mod matrix;
mod parts;
mod safety;
mod sources;
mod top;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::parts::{not_run, part, table};
use super::page::{Page, TITLE};

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
