// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix as it is shown.

use serde::Serialize;

use super::mark::Mark;

/// A cell as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellShown {
    /// The map, or several of the same outcome.
    pub map: String,
    /// How it stands.
    pub mark: Mark,
    /// In a word or two: `safe`, `lost`, `EOPNOTSUPP`.
    pub word: String,
    /// Kinds of violation beside the worst.
    pub more: usize,
    /// Per million deletes, or the bound that none leaves.
    pub rate: Option<String>,
    /// States that the model explored, and its memory model.
    pub model: String,
    /// Replays.
    pub witness: Option<String>,
    /// What free running showed.
    pub stress: Option<String>,
    /// What it showed on kernels as they are.
    pub native: Vec<String>,
    /// The kernel's no, whole; why there is no kernel; how the evidence stands.
    pub notes: Vec<String>,
}

/// A refresh discipline with a gc strategy, on each map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The anchor.
    pub id: String,
    /// The discipline.
    pub refresh: String,
    /// The strategy.
    pub gc: String,
    /// One for each map, in the order of the matrix; maps of which only the model speaks, and says the same, share one.
    pub cells: Vec<CellShown>,
    /// Counter-examples that were tried in a kernel: the shortest of each violation.
    pub schedules: Vec<Schedule>,
}

/// A numbered counter-example.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schedule {
    /// What goes wrong.
    pub violation: String,
    /// On which maps.
    pub maps: Vec<String>,
    /// Who, where in the kernel, what.
    pub steps: Vec<[String; 3]>,
}

/// A cell of a grid: a sign, a word, and the way to its evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chip {
    /// How it stands.
    pub mark: Mark,
    /// In a word.
    pub word: String,
    /// Kinds of violation beside the worst.
    pub more: usize,
    /// Per million deletes, or the bound that none leaves.
    pub rate: Option<String>,
    /// The anchor of its evidence.
    pub link: String,
}

/// Strategies that belong together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Whose they are.
    pub title: String,
    /// Each with its cells, in the order of the columns.
    pub rows: Vec<(String, Vec<Option<Chip>>)>,
}

/// All cells on one map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grid {
    /// The anchor.
    pub id: String,
    /// The map.
    pub map: String,
    /// The disciplines.
    pub columns: Vec<String>,
    /// The strategies, by family.
    pub groups: Vec<Group>,
}

impl Grid {
    /// Its cells.
    pub fn chips(&self) -> impl Iterator<Item = &Chip> {
        self.groups.iter().flat_map(|group| &group.rows).flat_map(|(_, chips)| chips).flatten()
    }
}

/// The matrix and what is behind it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MatrixPart {
    /// One for each map.
    pub grids: Vec<Grid>,
    /// All pairs.
    pub pairs: Vec<Pair>,
    /// Why there is none.
    pub not_run: Option<String>,
}

/// What ran on kernels as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NativePart {
    /// The machine of the grids.
    pub machine: String,
    /// One for each map: the host's own kernel.
    pub grids: Vec<Grid>,
    /// Every kernel: how many cells ran, how many went wrong.
    pub kernels: Option<super::Table>,
    /// Whether the host's own kernel was asked.
    pub not_run: Option<String>,
}
