// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report for a mail: what stands alone in 72 lines of 72 columns.

use std::cmp::Reverse;

use super::{
    lines::{WIDTH, ascii, item, paragraph, wrapped},
    safety::{legend, table},
};
use crate::page::{HERE, Page, Patch, SafeLine, Standing, TITLE, tally};

/// At most so many lines.
pub const LINES: usize = 72;

/// At most so many lines of the table, and so many sentences of one kind.
const ROWS: usize = 18;
const SENTENCES: usize = 6;

/// The whole of it: the parts in order, until the lines are used up. The last part, where it comes from, is always there.
pub fn render(page: &Page) -> String {
    let mut end = String::new();
    for source in page.sources.iter().filter(|source| source.environment.is_some()).take(3) {
        let environment = source.environment.clone().unwrap_or_default();
        let kernel = environment.kernel.map(|kernel| kernel.version).or(environment.release);
        let said = format!("{}: {}, {}", source.name, kernel.unwrap_or_default(), environment.date);
        end.push_str(&format!("{}\n", wrapped(&said, "", "  ")));
    }
    end.push_str(&format!("To see it on your own kernel, as root: {HERE}\n"));
    let room = LINES - end.lines().count() - 1;
    let mut out = String::new();
    for part in [top(page), safe(page), troubles(page), claims(page)] {
        for line in part.lines() {
            // A line is left for the word that there is more.
            if out.lines().count() + 1 >= room {
                out.push_str("...\n");
                break;
            }
            out.push_str(line);
            out.push('\n');
        }
        if out.ends_with("...\n") {
            break;
        }
    }
    ascii(&format!("{}\n\n{end}", out.trim_end()))
}

fn top(page: &Page) -> String {
    let mut out = format!("{}\n{}\n\n", TITLE, "=".repeat(TITLE.len().min(WIDTH)));
    paragraph(&mut out, &page.answer.sentence);
    out
}

fn safe(page: &Page) -> String {
    let mut out = String::new();
    // What needs no patch and what does get the same room.
    let number = |patch: Patch| page.safety.of(patch).count();
    let (without, with) = (number(Patch::Without), number(Patch::With));
    let of_without = without.min(ROWS - with.min(ROWS / 2));
    let of_with = with.min(ROWS - of_without);
    let lines: Vec<&SafeLine> = widest(page, Patch::Without)
        .into_iter()
        .take(of_without)
        .chain(widest(page, Patch::With).into_iter().take(of_with))
        .collect();
    if lines.is_empty() {
        return out;
    }
    table(&mut out, &lines);
    let more = without + with - lines.len();
    let more = if more > 0 { format!(" {more} more in the report.") } else { String::new() };
    let unit = &page.safety.counted_in;
    let unit = if unit.is_empty() { "costs were not measured" } else { unit };
    out.push('\n');
    paragraph(
        &mut out,
        &format!(
            "{} live: a packet over a plain store; removal: over a plain delete by key ({unit}).{more}",
            legend()
        ),
    );
    out
}

/// What holds on the most maps comes first.
fn widest(page: &Page, patch: Patch) -> Vec<&SafeLine> {
    let mut lines: Vec<&SafeLine> = page.safety.of(patch).collect();
    lines.sort_by_key(|line| Reverse(line.maps.len()));
    lines
}

fn troubles(page: &Page) -> String {
    let mut out = String::new();
    for trouble in page.troubles.iter().take(SENTENCES) {
        item(&mut out, &format!("! {trouble}"));
    }
    if !page.troubles.is_empty() {
        out.push('\n');
    }
    out
}

fn claims(page: &Page) -> String {
    let mut out = String::new();
    paragraph(&mut out, &format!("Of {} claims: {}.", page.claims.len(), tally(&page.claims)));
    for claim in page.claims.iter().filter(|claim| claim.standing == Standing::Holds) {
        item(&mut out, &claim.says);
    }
    out
}
