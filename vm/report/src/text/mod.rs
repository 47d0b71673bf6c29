// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report as plain text of at most 72 columns, in ASCII; and its brief form, for a mail.

mod brief;
mod costs;
mod matrix;
mod safety;

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table as Lines, presets::NOTHING,
};
use textwrap::{Options, WordSplitter, fill};

#[cfg(test)]
pub use self::brief::LINES;
pub use self::brief::render as brief;
use super::{
    html,
    page::{Goal, Page, Reached, Table},
    sources::facts,
    words::count,
};

/// Columns.
pub const WIDTH: usize = 72;

/// Columns of a wrapped list item.
const HANG: &str = "  ";

/// The whole report.
pub fn render(page: &Page) -> String {
    let mut out = String::new();
    head(&mut out, html::TITLE, '=');
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
    paragraph(&mut out, &format!("Of {} claims: {}.", page.claims.len(), html::tally(&page.claims)));
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

fn head(out: &mut String, title: &str, line: char) {
    out.push_str(&format!("\n{title}\n{}\n\n", line.to_string().repeat(title.chars().count().min(WIDTH))));
}

fn options<'a>(first: &'a str, others: &'a str) -> Options<'a> {
    Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(others)
        .word_splitter(WordSplitter::NoHyphenation)
}

/// A sentence with its lines indented.
fn wrapped(text: &str, first: &str, others: &str) -> String {
    fill(&ascii(text), options(first, others))
}

fn paragraph(out: &mut String, text: &str) {
    out.push_str(&format!("{}\n\n", fill(&ascii(text), options("", ""))));
}

fn item(out: &mut String, text: &str) {
    out.push_str(&format!("{}\n", fill(&ascii(text), options("- ", HANG))));
}

fn not_run(out: &mut String, command: &str) {
    paragraph(out, &format!("Not run: `{command}` makes it."));
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

/// Columns as wide as their words, the last ones wrapped if they have to be.
fn grid(out: &mut String, head: &[String], rows: &[Vec<String>]) {
    let mut lines = Lines::new();
    lines.load_style(NOTHING).force_no_tty();
    lines.set_content_arrangement(ContentArrangement::Dynamic).set_width(72);
    lines.set_header(head.iter().map(|cell| ascii(cell)));
    for row in rows {
        lines.add_row(row.iter().enumerate().map(|(i, cell)| {
            let figure = i > 0 && cell.starts_with(|c: char| c.is_ascii_digit());
            let right = if figure { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(ascii(cell)).set_alignment(right)
        }));
    }
    for (i, column) in lines.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        // Names are for reading, and are never broken.
        if i == 0 || head.get(i).is_some_and(|head| head == "map") {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    for line in lines.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn table(out: &mut String, table: &Table) {
    out.push_str(&format!("{}\n", fill(&ascii(&table.caption), options("", ""))));
    grid(out, &table.head, &table.rows);
    for note in &table.notes {
        paragraph(out, note);
    }
    out.push('\n');
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
        let told: Vec<String> = facts(environment)
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

/// Mails are read in terminals.
fn ascii(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '×' => plain.push('x'),
            '÷' => plain.push('/'),
            '–' | '·' => plain.push('-'),
            '…' => plain.push_str("..."),
            '±' => plain.push_str("+-"),
            '“' | '”' => plain.push('"'),
            '’' => plain.push('\''),
            c if c.is_ascii() => plain.push(c),
            _ => plain.push('?'),
        }
    }
    plain
}
