// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the report says, before it looks like anything. The page and the text are made of this alone; `report.json` is the
//! same without the cells, which `matrix.json` has, and without what charts draw.

mod chart;
mod claims;
mod costs;
mod door;
mod mark;
mod matrix;
mod safety;
mod table;

use serde::Serialize;

pub use self::{
    chart::{Bar, Chart, Curve, Plot},
    claims::{ClaimShown, DoorItem, DoorShown, Standing, tally},
    costs::{CostPart, Costs},
    door::{Door, HERE},
    mark::Mark,
    matrix::{CellShown, Chip, Grid, Group, MatrixPart, NativePart, Pair, Schedule},
    safety::{Paid, Patch, Preempted, Price, SafeLine, Safety},
    table::Table,
};
use super::environment::Environment;

/// What it is called.
pub const TITLE: &str = "What it takes to lose no entry of a BPF map";

/// The whole report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Page {
    /// What safety takes, in a paragraph, and the figures that go with it.
    pub answer: Answer,
    /// Three ways in.
    pub doors: Vec<DoorShown>,
    /// What safety takes, line by line.
    pub safety: Safety,
    /// What people say of it, held against the evidence.
    pub claims: Vec<ClaimShown>,
    /// The matrix.
    #[serde(skip)]
    pub matrix: MatrixPart,
    /// What ran on kernels as they are.
    #[serde(skip)]
    pub native: NativePart,
    /// The reply's objections, and the proposal by the same rule.
    pub objections: Vec<Objection>,
    /// A sentence for each refresh discipline.
    pub disciplines: Vec<String>,
    /// What it costs.
    pub costs: Costs,
    /// What the costs ought to be.
    pub goals: Vec<Goal>,
    /// Real connections.
    pub connections: Option<Table>,
    /// Where all of it comes from.
    pub sources: Vec<Source>,
    /// What contradicts itself or cannot be compared.
    pub troubles: Vec<String>,
}

/// The top of the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Answer {
    /// A paragraph.
    pub sentence: String,
    /// Figures that one remembers.
    pub tiles: Vec<Tile>,
}

/// A figure, large.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tile {
    /// The figure with its unit.
    pub figure: String,
    /// What it is a figure of.
    pub what: String,
    /// The anchor of where it comes from.
    pub link: String,
}

/// How an objection fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// A combination is safe on every hash map.
    Holds,
    /// One is safe on some of them.
    InPart,
    /// One is safe, and no hash map any more.
    Elsewhere,
    /// None is safe.
    Fails,
    /// There is no evidence.
    Undecided,
}

impl Fate {
    /// As the page says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "safe on every hash map",
            Self::InPart => "safe on some hash maps",
            Self::Elsewhere => "safe, and not on a hash map",
            Self::Fails => "safe nowhere",
            Self::Undecided => "not decided",
        }
    }

    /// The mark that it shares its looks with.
    pub fn mark(self) -> Mark {
        match self {
            Self::Holds => Mark::Safe,
            Self::InPart | Self::Elsewhere => Mark::Lesser,
            Self::Fails => Mark::Bad,
            Self::Undecided => Mark::ModelSafe,
        }
    }
}

/// What the reply says, and what the evidence says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Objection {
    /// The anchor.
    pub id: String,
    /// In a few words.
    pub title: String,
    /// The reply, in substance.
    pub claim: String,
    /// How it fares.
    pub fate: Fate,
    /// Whether its best form takes a patch; nothing if it has no safe form.
    pub patch: Option<Patch>,
    /// The evidence and the figures.
    pub findings: Vec<Finding>,
}

/// A sentence with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The sentence.
    pub text: String,
    /// Words and anchors.
    pub links: Vec<(String, String)>,
}

/// Whether a goal was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// By the figures.
    Yes,
    /// By the figures.
    No,
    /// No figure.
    NotRun,
}

/// A goal with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// The anchor.
    pub id: String,
    /// In words.
    pub what: String,
    /// The goal.
    pub goal: String,
    /// What was measured.
    pub measured: String,
    /// Whether that is it.
    pub reached: Reached,
    /// Where it is spent, if it was not reached: what, and how much.
    pub profile: Option<Table>,
}

/// An input of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// What it says.
    pub name: String,
    /// The command that makes it.
    pub command: String,
    /// Where it was made; nothing if it was not.
    pub environment: Option<Environment>,
    /// What else there is to know of it: the image, the count of tests.
    pub facts: Vec<(String, String)>,
}
