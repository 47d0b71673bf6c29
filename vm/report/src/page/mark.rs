// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a cell stands, as a mark.

use serde::Serialize;

/// How a cell stands, in the order from calm to loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
    /// All evidence: a lost refresh, a stray write, a foreign value, a stale restore.
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
            Self::Safe => "safe: no schedule in the model, nothing counted by the stress",
            Self::ModelSafe => "safe in the model; no evidence of a kernel",
            Self::Refused => "refused by the kernel itself, with its errno",
            Self::ModelBad => "goes wrong in the model; no evidence of a kernel",
            Self::Lesser => "a gap, a double delete, or an entry that stays",
            Self::Bad => "a lost refresh, a stray write, a foreign value, or a stale restore",
            Self::Alarm => "kinds of evidence disagree, or one is missing",
        }
    }
}
