// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the text is put together from: lines of at most 72 columns, in ASCII.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table as Lines, presets::NOTHING,
};
use textwrap::{Options, WordSplitter, fill};

use crate::page::Table;

/// Columns.
pub const WIDTH: usize = 72;

/// Columns of a wrapped list item.
const HANG: &str = "  ";

/// A heading, underlined.
pub fn head(out: &mut String, title: &str, line: char) {
    out.push_str(&format!("\n{title}\n{}\n\n", line.to_string().repeat(title.chars().count().min(WIDTH))));
}

/// How lines are wrapped, the first and the others with an indent of their own.
pub fn options<'a>(first: &'a str, others: &'a str) -> Options<'a> {
    Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(others)
        .word_splitter(WordSplitter::NoHyphenation)
}

/// A sentence with its lines indented.
pub fn wrapped(text: &str, first: &str, others: &str) -> String {
    fill(&ascii(text), options(first, others))
}

/// A paragraph, and an empty line.
pub fn paragraph(out: &mut String, text: &str) {
    out.push_str(&format!("{}\n\n", fill(&ascii(text), options("", ""))));
}

/// An item of a list.
pub fn item(out: &mut String, text: &str) {
    out.push_str(&format!("{}\n", fill(&ascii(text), options("- ", HANG))));
}

/// Said instead of what is not there.
pub fn not_run(out: &mut String, command: &str) {
    paragraph(out, &format!("Not run: `{command}` makes it."));
}

/// Columns as wide as their words, the last ones wrapped if they have to be.
pub fn grid(out: &mut String, head: &[String], rows: &[Vec<String>]) {
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

/// A table with its caption and its notes.
pub fn table(out: &mut String, table: &Table) {
    out.push_str(&format!("{}\n", fill(&ascii(&table.caption), options("", ""))));
    grid(out, &table.head, &table.rows);
    for note in &table.notes {
        paragraph(out, note);
    }
    out.push('\n');
}

/// Mails are read in terminals.
pub fn ascii(text: &str) -> String {
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
