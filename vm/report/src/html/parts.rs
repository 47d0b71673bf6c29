// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the parts of the page are put together from.

use maud::{Markup, html};

use crate::page::{Mark, Table};

/// A part of the page with its heading.
pub fn part(id: &str, title: &str, content: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) " " a.anchor href={ "#" (id) } aria-label="Link to this part" { "#" } }
            (content)
        }
    }
}

/// Sign and word; the colour only repeats them.
pub fn badge(mark: Mark, words: &str) -> Markup {
    html! { span class={ "badge " (mark.class()) } { span.sign aria-hidden="true" { (mark.sign()) } " " (words) } }
}

/// Said instead of what is not there.
pub fn not_run(command: &str) -> Markup {
    html! { p.not-run { "Not run. " code { (command) } " makes it." } }
}

/// A table that scrolls in a box of its own.
pub fn table(table: &Table) -> Markup {
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
