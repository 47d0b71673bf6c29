// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people say of it, held against the evidence.

use maud::{Markup, html};

use super::parts::{badge, part};
use crate::page::{Page, tally};

/// A row for each.
pub fn section(page: &Page) -> Markup {
    let content = html! {
        p {
            "Each sentence was written by a person and has a predicate over the evidence. One that no longer holds fails the
            report; one whose evidence was not run counts as not run, never as true. Of " (page.claims.len()) ": "
            (tally(&page.claims)) "."
        }
        div.scroll tabindex="0" role="region" aria-label="Claims" {
            table.claims {
                caption { "Claims, and what the evidence says of them" }
                thead { tr { th scope="col" { "claim" } th scope="col" { "" } th scope="col" { "by" } } }
                tbody { @for claim in &page.claims { tr id=(claim.id) {
                    th scope="row" { (claim.says) }
                    td { (badge(claim.standing.mark(), claim.standing.words())) }
                    td { (claim.basis) }
                } } }
            }
        }
    };
    part("claims", "What is claimed", &content)
}
