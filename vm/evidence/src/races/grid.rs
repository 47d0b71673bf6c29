// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix for a terminal: a table for each map, gc strategies down, refresh disciplines across.

use std::collections::BTreeMap;

use approaches::Family;
use comfy_table::{
    Attribute, Cell as Box, ColumnConstraint, ContentArrangement, Table, Width, presets::UTF8_FULL_CONDENSED,
};
use results::races::Cell;

use super::{
    matrix::Matrix,
    table::{Shown, painted, shown},
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
    /// Blanks on either side of what a cell shows.
    fn padding(self) -> u16 {
        u16::from(self.width.is_none_or(|width| width >= NARROW))
    }

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

/// A table for each map, with its name above it; several where not all disciplines fit beside each other.
pub fn tables(matrix: &Matrix, look: Look) -> String {
    let mut text = String::new();
    for map in matrix.names(|cell| &cell.map) {
        let grid = Grid::of(matrix, map);
        for (i, columns) in grid.blocks(look).into_iter().enumerate() {
            let more = if i == 0 { "" } else { ", further disciplines" };
            text.push_str(&format!("\n{map}{more}\n{}\n", grid.table(columns, look)));
        }
    }
    text
}

/// The cells of one map.
struct Grid {
    /// Strategies under the titles of their families.
    groups: Vec<(&'static str, Vec<String>)>,
    columns: Vec<Column>,
}

/// A discipline, and what each strategy shows under it.
struct Column {
    refresh: String,
    cells: BTreeMap<String, Shown>,
}

impl Column {
    /// The width of the longest word, none of which is to be broken.
    fn width(&self) -> usize {
        let texts = std::iter::once(&self.refresh).chain(self.cells.values().map(|shown| &shown.text));
        let words = texts.flat_map(|text| text.split_whitespace());
        words.map(|word| word.chars().count()).max().unwrap_or_default()
    }
}

/// Above the names of the strategies.
const CORNER: &str = "gc \\ refresh";
/// Stands for the title of a family until the table has its widths.
const TITLE: char = '\u{e000}';

impl Grid {
    fn of(matrix: &Matrix, map: &str) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for row in matrix.rows.iter().filter(|row| row.cell.map == map) {
            let Cell { refresh, gc, .. } = &row.cell;
            if !names.contains(gc) {
                names.push(gc.clone());
            }
            let at = columns.iter().position(|column| column.refresh == *refresh).unwrap_or_else(|| {
                columns.push(Column { refresh: refresh.clone(), cells: BTreeMap::new() });
                columns.len() - 1
            });
            columns[at].cells.insert(gc.clone(), shown(row));
        }
        let family = |gc: &String| Some(approaches::Column::named(gc)?.family);
        // What the catalogue does not know, from another version's evidence say, comes last.
        let families = Family::ALL.into_iter().map(Some).chain([None]);
        let groups = families
            .map(|of| {
                let title = of.map_or("Others", Family::title);
                (title, names.iter().filter(|gc| family(gc) == of).cloned().collect::<Vec<_>>())
            })
            .filter(|(_, gcs)| !gcs.is_empty())
            .collect();
        Self { groups, columns }
    }

    /// Columns in as many blocks as the terminal makes necessary.
    fn blocks(&self, look: Look) -> Vec<&[Column]> {
        let Some(width) = look.width.map(usize::from) else { return vec![&self.columns] };
        let names = self.groups.iter().flat_map(|(_, gcs)| gcs);
        let first = names.map(String::len).max().unwrap_or_default().max(CORNER.len());
        let padding = look.padding();
        // A border on the left of each, and one on the right of all; names always have a blank on either side.
        let room = width.saturating_sub(first + 4);
        let (mut blocks, mut start, mut used) = (Vec::new(), 0, 0);
        for (at, column) in self.columns.iter().enumerate() {
            let needs = column.width() + 2 * usize::from(padding) + 1;
            if used + needs > room && at > start {
                blocks.push(&self.columns[start..at]);
                (start, used) = (at, 0);
            }
            used += needs;
        }
        blocks.push(&self.columns[start..]);
        blocks
    }

    fn table(&self, columns: &[Column], look: Look) -> String {
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
        table.set_header(
            std::iter::once(bold(CORNER)).chain(columns.iter().map(|column| bold(&column.refresh))),
        );
        let mut titles = Vec::new();
        for (title, gcs) in &self.groups {
            let known = |gc: &&String| columns.iter().any(|column| column.cells.contains_key(*gc));
            let mut gcs = gcs.iter().filter(known).peekable();
            if gcs.peek().is_none() {
                continue;
            }
            titles.push(*title);
            table.add_row([Box::new(TITLE)]);
            for gc in gcs {
                let cells =
                    columns.iter().map(|column| column.cells.get(gc).map_or_else(|| Box::new(""), painted));
                table.add_row(std::iter::once(bold(gc)).chain(cells));
            }
        }
        // Names are for reading, and for typing into --filter: they are never broken.
        if let Some(column) = table.column_mut(0) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        let padding = look.padding();
        for (at, column) in columns.iter().enumerate() {
            let least = u16::try_from(column.width()).unwrap_or(u16::MAX).saturating_add(2 * padding);
            if let Some(shown) = table.column_mut(at + 1) {
                shown.set_padding((padding, padding));
                shown.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
            }
        }
        titled(&table, &titles, look)
    }
}

/// The table with its titles, each as a line of its own.
fn titled(table: &Table, titles: &[&str], look: Look) -> String {
    let lines: Vec<String> = table.lines().collect();
    let width = lines.first().map_or(0, |line| line.chars().count());
    let most = look.width.map_or(usize::MAX, usize::from);
    let mut titles = titles.iter();
    let lines = lines.into_iter().map(|line| match titles.as_slice() {
        [title, ..] if line.contains(TITLE) => {
            titles.next();
            let line = format!("├ {title} ");
            let rule = "┄".repeat(width.saturating_sub(line.chars().count() + 1));
            let end = if rule.is_empty() { "" } else { "┤" };
            format!("{line}{rule}{end}").chars().take(most).collect()
        }
        _ => line,
    });
    lines.collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::{
        made_up::{model, of_each_kind, refused, weighed},
        row::Standing,
    };
    use results::races::Violation::LostRefresh;

    fn all() -> Matrix {
        weighed(&of_each_kind())
    }

    #[test]
    fn a_table_fits_its_terminal_and_a_log_has_no_colours() {
        let matrix = all();
        for width in [60, 100, 160] {
            let text = tables(&matrix, Look { width: Some(width), colour: false });
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
            assert!(text.contains("compare") && text.contains("EOPNOTSUPP"), "{text}");
        }
        assert!(tables(&matrix, Look { width: Some(100), colour: true }).contains('\u{1b}'));
        let log = tables(&matrix, Look::default());
        assert!(log.contains("refused EOPNOTSUPP") && !log.contains('\u{1b}'), "{log}");
        assert_eq!(log.matches(CORNER).count(), 2, "a table for each map");
    }

    /// Every cell of the catalogue, as loud as cells get.
    #[test]
    fn the_whole_catalogue_fits_too_with_no_word_broken() {
        let events: Vec<_> = approaches::all()
            .flat_map(|place| [model(place.cell(), &[LostRefresh]), refused(place.cell())])
            .collect();
        let matrix = weighed(&events);
        for width in [60, 80, 100, 140, 200] {
            let text = tables(&matrix, Look { width: Some(width), colour: false });
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}\n{text}");
            let shown = text.matches("EOPNOTSUPP").count();
            let refused = matrix.rows.iter().filter(|row| row.standing == Standing::Refused).count();
            assert_eq!(shown, refused, "{width}\n{text}");
            for gc in approaches::Column::all() {
                assert!(text.contains(&gc.to_string()), "{gc}: {width}\n{text}");
            }
            assert!(!text.contains(TITLE), "{text}");
        }
    }

    #[test]
    fn strategies_stand_under_the_titles_of_their_families() {
        let text = tables(&all(), Look::default());
        let at = |what: &str| text.find(what).unwrap();
        let titles = [Family::Today, Family::Program, Family::Compare].map(Family::title);
        assert!(at(titles[0]) < at("│ blind") && at("│ blind") < at(titles[1]), "{text}");
        assert!(at(titles[1]) < at("│ prog ") && at("│ prog ") < at(titles[2]), "{text}");
        assert!(at(titles[2]) < at("│ compare") && !text.contains(Family::Arena.title()), "{text}");
        let line = text.lines().find(|line| line.contains(titles[1])).unwrap();
        let top = text.lines().find(|line| line.starts_with('┌')).unwrap();
        assert_eq!(line.chars().count(), top.chars().count(), "{text}");
    }
}
