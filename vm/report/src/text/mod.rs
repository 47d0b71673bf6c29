// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report as plain text of at most 72 columns, in ASCII; and its brief form, for a mail.

mod brief;
mod costs;
mod lines;
mod matrix;
mod safety;

pub use self::brief::render as brief;
use self::lines::{ascii, head, item, not_run, paragraph, table};
#[cfg(test)]
pub use self::{brief::LINES, lines::WIDTH};
use super::{
    numbers::count,
    page::{Goal, Page, Reached, TITLE, tally},
};

/// The whole report.
pub fn render(page: &Page) -> String {
    let mut out = String::new();
    head(&mut out, TITLE, '=');
    paragraph(&mut out, &page.answer.sentence);
    for trouble in &page.troubles {
        item(&mut out, &format!("! {trouble}"));
    }
    safety::write(&mut out, page);
    for tile in &page.answer.tiles {
        item(&mut out, &format!("{}: {}", tile.figure, tile.what));
    }
    safety::doors(&mut out, &page.doors);
    objections(&mut out, page);
    head(&mut out, "What is claimed", '-');
    paragraph(&mut out, &format!("Of {} claims: {}.", page.claims.len(), tally(&page.claims)));
    for claim in &page.claims {
        safety::claim(&mut out, claim);
    }
    matrix::write(&mut out, page);
    head(&mut out, "For each refresh discipline", '-');
    for sentence in &page.disciplines {
        item(&mut out, sentence);
    }
    if page.disciplines.is_empty() {
        not_run(&mut out, "cargo xtask races");
    }
    costs::write(&mut out, page);
    head(&mut out, "Goals", '-');
    for goal in &page.goals {
        self::goal(&mut out, goal);
    }
    head(&mut out, "Real connections", '-');
    match &page.connections {
        Some(run) => table(&mut out, run),
        None => not_run(&mut out, "cargo xtask races"),
    }
    sources(&mut out, page);
    ascii(&out)
}

fn objections(out: &mut String, page: &Page) {
    head(out, "The reply, objection by objection", '-');
    for objection in &page.objections {
        let patch =
            objection.patch.map_or_else(String::new, |patch| format!(", {}", patch.title().to_lowercase()));
        out.push_str(&format!("{}: {}{patch}\n", objection.title, objection.fate.words()));
        for finding in &objection.findings {
            item(out, &finding.text);
        }
        out.push('\n');
    }
}

fn goal(out: &mut String, goal: &Goal) {
    let word = match goal.reached {
        Reached::Yes => "reached",
        Reached::No => "NOT REACHED",
        Reached::NotRun => "not run",
    };
    item(out, &format!("{word}: {}: {}; measured: {}", goal.what, goal.goal, goal.measured));
    if let Some(profile) = &goal.profile {
        table(out, profile);
    }
}

fn sources(out: &mut String, page: &Page) {
    head(out, "Environment and commands", '-');
    for source in &page.sources {
        let Some(environment) = &source.environment else {
            item(out, &format!("{}: not run: {}", source.name, source.command));
            continue;
        };
        let told: Vec<String> = environment
            .facts()
            .into_iter()
            .chain(source.facts.iter().map(|(name, value)| (name.as_str(), value.clone())))
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        item(out, &format!("{}: {}", source.name, told.join(", ")));
    }
    let cells: usize = page.matrix.pairs.iter().map(|pair| pair.cells.len()).sum();
    out.push('\n');
    paragraph(
        out,
        &format!("The page beside this text has the evidence of each of the {} cells.", count(cells as u64)),
    );
}
