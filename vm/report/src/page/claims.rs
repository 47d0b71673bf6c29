// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sentences of people, and what the evidence says of them.

use serde::Serialize;

use super::Mark;

/// Whether the evidence bears a claim out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It does.
    Holds,
    /// It does not.
    Fails,
    /// What would decide it was not run.
    NotRun,
}

impl Standing {
    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "does not hold",
            Self::NotRun => "not run",
        }
    }

    /// The mark that it shares its looks with.
    pub fn mark(self) -> Mark {
        match self {
            Self::Holds => Mark::Safe,
            Self::Fails => Mark::Alarm,
            Self::NotRun => Mark::ModelSafe,
        }
    }
}

/// A claim with what was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimShown {
    /// Its name, and its anchor.
    pub id: String,
    /// The sentence.
    pub says: String,
    /// What was found.
    pub standing: Standing,
    /// The figures that bear it out, or why they do not.
    pub basis: String,
    /// Anchors of the doors and objections that it speaks to.
    pub about: Vec<String>,
}

/// A way into the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DoorShown {
    /// The anchor.
    pub id: String,
    /// Who stands before it, and what he asks.
    pub asks: String,
    /// The answer.
    pub says: Vec<String>,
    /// What there is to take, or to type.
    pub items: Vec<DoorItem>,
}

/// One thing behind a door.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DoorItem {
    /// For which map, or what it is.
    pub head: String,
    /// Sentences, each with the files to copy or the command to type.
    pub parts: Vec<(String, Vec<String>)>,
    /// Where more of it stands.
    pub link: Option<String>,
}
