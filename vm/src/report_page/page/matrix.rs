// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix as it is shown.

use serde::{Deserialize, Serialize};

/// How a cell stands, in the order from calm to loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// All evidence: nothing goes wrong.
    Safe,
    /// The model alone: nothing goes wrong.
    ModelSafe,
    /// The kernel's own no.
    Refused,
    /// The model alone: something goes wrong.
    ModelBad,
    /// All evidence: a gap, a double delete, an entry that stays.
    Lesser,
    /// All evidence: a lost refresh, a stray write, a stale restore.
    Bad,
    /// Evidence contradicts itself or is missing.
    Alarm,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Safe, Self::ModelSafe, Self::Refused, Self::ModelBad, Self::Lesser, Self::Bad, Self::Alarm];

    /// A sign beside the word, so that colour is never the only difference.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Safe => "✓",
            Self::ModelSafe => "○",
            Self::Refused => "–",
            Self::ModelBad => "×",
            Self::Lesser => "△",
            Self::Bad => "✕",
            Self::Alarm => "!",
        }
    }

    /// Of two that say the same, the one with more evidence.
    #[must_use]
    pub fn max_evidence(self, other: Self) -> Self {
        match (self, other) {
            (Self::ModelSafe | Self::ModelBad, seen) => seen,
            (seen, _) => seen,
        }
    }

    /// The class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::ModelSafe => "model-safe",
            Self::Refused => "refused",
            Self::ModelBad => "model-bad",
            Self::Lesser => "lesser",
            Self::Bad => "bad",
            Self::Alarm => "alarm",
        }
    }

    /// What it means, for the legend.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Safe => "safe: no schedule in the model, none counted by the stress",
            Self::ModelSafe => "safe in the model; no evidence of a kernel",
            Self::Refused => "refused by the kernel itself, with its errno",
            Self::ModelBad => "goes wrong in the model; no evidence of a kernel",
            Self::Lesser => "a gap, a double delete, or an entry that stays",
            Self::Bad => "a lost refresh, a stray write, or a stale restore",
            Self::Alarm => "kinds of evidence disagree, or one is missing",
        }
    }
}

/// A cell as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellShown {
    /// The map.
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
    /// The kernel's no, whole; why there is no kernel; how the evidence stands.
    pub notes: Vec<String>,
}

/// A refresh discipline with a gc strategy, on each map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The anchor.
    pub id: String,
    /// The discipline.
    pub refresh: String,
    /// The strategy.
    pub gc: String,
    /// One for each map, in the order of the matrix.
    pub cells: Vec<CellShown>,
    /// Counter-examples: the worst of each map; the same one is not told twice.
    pub schedules: Vec<Schedule>,
}

/// A numbered counter-example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// What goes wrong.
    pub violation: String,
    /// On which maps.
    pub maps: Vec<String>,
    /// Who, where in the kernel, what.
    pub steps: Vec<[String; 3]>,
}

/// Strategies that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Whose they are.
    pub title: String,
    /// The strategies.
    pub gcs: Vec<String>,
}

/// The matrix and what is behind it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatrixPart {
    /// Refresh disciplines that meet several strategies, in order.
    pub refreshes: Vec<String>,
    /// Strategies by whose they are, in order.
    pub groups: Vec<Group>,
    /// The maps.
    pub maps: Vec<String>,
    /// All pairs.
    pub pairs: Vec<Pair>,
    /// Why there is none.
    pub not_run: Option<String>,
}

impl MatrixPart {
    /// The pair of two.
    pub fn find(&self, refresh: &str, gc: &str) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.refresh == refresh && pair.gc == gc)
    }

    /// Pairs that are no cell of the big table: two that only work with each other.
    pub fn loners(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|pair| !self.refreshes.contains(&pair.refresh))
    }
}
