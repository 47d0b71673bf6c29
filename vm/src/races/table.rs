// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix for a terminal: a table for each map, gc strategies down, refresh disciplines across.

use comfy_table::{
    Attribute, Cell as Box, Color, ColumnConstraint, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED,
};
use results::races::Violation;

use super::{
    agree::{Standing, below, figure},
    matrix::{Matrix, Row, per_million},
};

/// How a table may look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; cells are wrapped to fit. Without one, lines are as long as they are.
    pub width: Option<u16>,
    /// Colours are welcome.
    pub colour: bool,
}

impl Look {
    /// For standard output: a log or a pipe has no width and gets no colours, and neither has who set `NO_COLOR`.
    pub fn of_stdout() -> Self {
        let terminal = Table::new();
        if !terminal.is_tty() {
            return Self::default();
        }
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { width: terminal.width(), colour: !unwanted }
    }
}

/// A terminal with fewer columns has none to spare.
const NARROW: u16 = 140;

/// What a cell shows, and how loudly.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    text: String,
    tone: Tone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Safe,
    Bad,
    Lesser,
    Alone,
    Alarm,
}

/// The word for each violation.
fn word(violation: Violation) -> &'static str {
    match violation {
        Violation::LostRefresh => "LOST",
        Violation::StrayWrite => "STRAY",
        Violation::ForeignValue => "FOREIGN",
        Violation::StaleRestore => "STALE",
        Violation::Gap => "GAP",
        Violation::DoubleDelete => "DOUBLE",
        Violation::NeverRemoved => "STAYS",
    }
}

fn tone(violation: Violation) -> Tone {
    match violation {
        Violation::LostRefresh
        | Violation::StrayWrite
        | Violation::ForeignValue
        | Violation::StaleRestore => Tone::Bad,
        Violation::Gap | Violation::DoubleDelete | Violation::NeverRemoved => Tone::Lesser,
    }
}

/// Short, since a table has many columns.
fn short(rate: f64) -> String {
    match rate {
        rate if rate >= 999_500.0 => format!("{:.1}M", rate / 1e6),
        rate if rate >= 9_950.0 => format!("{:.0}k", rate / 1e3),
        rate if rate >= 999.5 => format!("{:.1}k", rate / 1e3),
        rate => figure(rate),
    }
}

fn shown(row: &Row) -> Shown {
    let found = || row.model.iter().flat_map(|model| model.counterexamples.keys().copied());
    let more = |text: String| match found().count() {
        0 | 1 => text,
        kinds => format!("{text} +{}", kinds - 1),
    };
    let model = || match (found().next(), row.model.is_some()) {
        (Some(worst), _) => more(format!("model: {}", word(worst))),
        (None, true) => "model: safe".into(),
        (None, false) => "-".into(),
    };
    match row.standing {
        Standing::Disagree => Shown { text: "DISAGREE".into(), tone: Tone::Alarm },
        Standing::Missing => Shown { text: "NO EVIDENCE".into(), tone: Tone::Alarm },
        Standing::Refused => {
            let errno = row.refused.as_ref().map_or("", |refusal| refusal.errno.as_str());
            Shown { text: format!("refused {errno}"), tone: Tone::Alone }
        }
        Standing::Absent | Standing::ModelOnly => Shown { text: model(), tone: Tone::Alone },
        Standing::Agree => {
            let (deletes, violations) =
                row.stress.as_ref().map_or_else(Default::default, |s| (s.deletes, s.violations));
            match found().next() {
                None => Shown { text: format!("safe <{}", short(below(deletes))), tone: Tone::Safe },
                Some(worst) => {
                    let rate = match violations.of(worst) {
                        0 => format!("<{}", short(below(deletes))),
                        count => short(per_million(count, deletes)),
                    };
                    Shown { text: more(format!("{} {rate}", word(worst))), tone: tone(worst) }
                }
            }
        }
    }
}

fn painted(shown: &Shown) -> Box {
    let cell = Box::new(&shown.text);
    match shown.tone {
        Tone::Safe => cell.fg(Color::Green),
        Tone::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Tone::Lesser => cell.fg(Color::Yellow),
        Tone::Alone => cell.fg(Color::DarkGrey),
        Tone::Alarm => cell.fg(Color::Magenta).add_attribute(Attribute::Reverse),
    }
}

/// A table for each map, with its name above it.
pub fn tables(matrix: &Matrix, look: Look) -> String {
    let mut text = String::new();
    for map in matrix.names(|cell| &cell.map) {
        text.push_str(&format!("\n{map}\n{}\n", table(matrix, map, look)));
    }
    text
}

fn table(matrix: &Matrix, map: &str, look: Look) -> Table {
    let here = |of: &dyn Fn(&Row) -> String| {
        let mut names: Vec<String> = Vec::new();
        for name in matrix.rows.iter().filter(|row| row.cell.map == map).map(of) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    let (refreshes, collectors) = (here(&|row| row.cell.refresh.clone()), here(&|row| row.cell.gc.clone()));
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    if look.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    match look.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    let bold = |text: &str| Box::new(text).add_attribute(Attribute::Bold);
    table.set_header(std::iter::once(bold("gc \\ refresh")).chain(refreshes.iter().map(|name| bold(name))));
    for gc in &collectors {
        let cells = refreshes.iter().map(|refresh| {
            matrix.find(refresh, gc, map).map_or_else(|| Box::new(""), |row| painted(&shown(row)))
        });
        table.add_row(std::iter::once(bold(gc)).chain(cells));
    }
    // Names are for reading, and for typing into --filter: they are never broken.
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    // Seven disciplines and an errno in one piece just fit into 100 columns, without a blank on either side.
    if look.width.is_some_and(|width| width < NARROW) {
        table.column_iter_mut().skip(1).for_each(|column| {
            column.set_padding((0, 0));
        });
    }
    table
}

/// What the words mean.
pub fn legend() -> String {
    let words: Vec<String> =
        Violation::ALL.iter().map(|violation| format!("{} {violation}", word(*violation))).collect();
    format!(
        "{}\n\
         a figure: per million deletes, as the stress counted; <x: the stress counted none, which leaves fewer than x (95 %);\n\
         after a violation that means: model and witness show it, the stress did not happen to; +n: n more kinds of violation\n\
         safe: the model has no schedule, and the stress counted none; model: no evidence of the kernel, by matrix.json's reason;\n\
         refused: the kernel's own no; DISAGREE: two kinds of evidence contradict each other; NO EVIDENCE: some is missing",
        words.join(" · ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::{
        judge::weigh,
        made_up::{cell, matrix, model, of_each_kind, stressed},
    };

    fn all() -> Matrix {
        let mut matrix = matrix(&of_each_kind());
        weigh(&mut matrix, false, "");
        matrix
    }

    #[test]
    fn a_cell_shows_its_worst_violation_and_the_rate() {
        let matrix = all();
        let text = |refresh, gc, map| shown(matrix.find(refresh, gc, map).unwrap()).text;
        assert_eq!(text("store", "blind", "hash"), "LOST 98k +1");
        assert_eq!(text("replace", "compare", "hash"), "safe <0.25");
        assert_eq!(text("store", "compare", "hash"), "LOST <0.25");
        assert_eq!(text("replace", "compare", "lru-hash"), "refused EOPNOTSUPP");
        assert_eq!(text("seal", "seal", "hash"), "model: safe");
    }

    #[test]
    fn trouble_is_louder_than_any_figure() {
        let here = || cell("store", "blind", "hash");
        let mut broken = matrix(&[model(here(), &[]), stressed(here(), 10, 10, 1)]);
        weigh(&mut broken, false, "");
        assert_eq!(shown(&broken.rows[0]), Shown { text: "DISAGREE".into(), tone: Tone::Alarm });
        let mut missing = matrix(&[model(here(), &[])]);
        weigh(&mut missing, false, "");
        assert_eq!(shown(&missing.rows[0]), Shown { text: "NO EVIDENCE".into(), tone: Tone::Alarm });
        weigh(&mut missing, true, "");
        assert_eq!(shown(&missing.rows[0]).text, "model: safe");
    }

    #[test]
    fn a_table_fits_its_terminal_and_a_log_has_no_colours() {
        let matrix = all();
        for width in [100, 160] {
            let text = tables(&matrix, Look { width: Some(width), colour: false });
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
        }
        assert!(tables(&matrix, Look { width: Some(100), colour: true }).contains('\u{1b}'));
        let narrow = tables(&matrix, Look { width: Some(60), colour: false });
        assert!(narrow.contains("compare") && narrow.contains("EOPNOTSUPP"), "{narrow}");
        let log = tables(&matrix, Look::default());
        assert!(log.contains("refused EOPNOTSUPP") && !log.contains('\u{1b}'), "{log}");
        assert_eq!(log.matches("gc \\ refresh").count(), 2, "a table for each map");
    }

    #[test]
    fn every_word_is_in_the_legend() {
        assert!(Violation::ALL.iter().all(|violation| legend().contains(word(*violation))));
    }
}
