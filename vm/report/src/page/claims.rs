// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sentences of people, and what the evidence says of them.

use serde::Serialize;

use super::mark::Mark;

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

/// How many claims stand how: `12 hold, 1 does not hold, 3 not run`.
pub fn tally(claims: &[ClaimShown]) -> String {
    let said: Vec<String> = [Standing::Holds, Standing::Fails, Standing::NotRun]
        .into_iter()
        .map(|standing| (standing, claims.iter().filter(|claim| claim.standing == standing).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(standing, number)| match (standing, number) {
            (Standing::Holds, 1) => "1 holds".into(),
            (Standing::Holds, number) => format!("{number} hold"),
            (Standing::Fails, 1) => "1 does not hold".into(),
            (Standing::Fails, number) => format!("{number} do not hold"),
            (Standing::NotRun, number) => format!("{number} not run"),
        })
        .collect();
    said.join(", ")
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
