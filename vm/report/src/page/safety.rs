// SPDX-License-Identifier: MIT OR Apache-2.0
//! What safety takes, as it is shown.

use results::races::Circumstance;
use serde::Serialize;

/// Whether a combination takes a kernel patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Patch {
    /// It runs on kernels as they are.
    #[default]
    Without,
    /// It takes a series.
    With,
    /// The catalogue does not have it any more.
    Unknown,
}

impl Patch {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 3] = [Self::Without, Self::With, Self::Unknown];

    /// The head of its lines.
    pub fn title(self) -> &'static str {
        match self {
            Self::Without => "Without a patch",
            Self::With => "With the series",
            Self::Unknown => "In the catalogue no more",
        }
    }
}

/// The table that the report opens with.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Safety {
    /// Combinations that lose nothing, those without a patch first.
    pub lines: Vec<SafeLine>,
    /// Cells that are safe by one kind of evidence and not by another.
    pub contradicted: Vec<String>,
    /// Unit and accel of what was counted.
    pub counted_in: String,
    /// The same of what was timed natively.
    pub timed_in: String,
    /// The command that makes it, if there is nothing.
    pub not_run: Option<String>,
}

impl Safety {
    /// Lines with, or without, a patch.
    pub fn of(&self, patch: Patch) -> impl Iterator<Item = &SafeLine> {
        self.lines.iter().filter(move |line| line.patch == patch)
    }
}

/// A discipline with the columns of one family that are safe on the same maps.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SafeLine {
    /// The anchor.
    pub id: String,
    /// The discipline.
    pub refresh: String,
    /// The strategies.
    pub gcs: Vec<String>,
    /// What they have in common.
    pub family: String,
    /// Whether it takes a kernel patch.
    pub patch: Patch,
    /// The oldest kernel, or the series.
    pub kernel: String,
    /// Maps on which nothing is lost.
    pub maps: Vec<String>,
    /// What becomes of it on the others.
    pub elsewhere: Vec<String>,
    /// Who has to follow the protocol.
    pub cooperate: String,
    /// A packet of a live, a due and a new flow.
    pub packet: Paid,
    /// The removal of one entry: one call each, and in bulk.
    pub removal: Paid,
    /// Packets that were to open a flow and were refused, per million.
    pub opens_refused: String,
    /// Bytes for an entry, by map.
    pub bytes: String,
    /// Whether a flow has to stay on its CPU.
    pub flows: String,
    /// What its user does without.
    pub gives_up: Vec<String>,
    /// Circumstances that break it.
    pub broken_by: Vec<Circumstance>,
    /// The same in words, with the rate.
    pub breaks: Vec<String>,
    /// Those that it survived.
    pub survives: Vec<String>,
    /// Those that nobody tried.
    pub untried: Vec<String>,
    /// Evidence of kernels that preempt packets.
    pub preempted: Preempted,
    /// Evidence under emulation.
    pub emulated: String,
    /// Evidence of the host's own kernel.
    pub native: String,
    /// Evidence of stock kernels.
    pub stock: String,
}

impl SafeLine {
    /// Discipline and strategies.
    pub fn name(&self) -> String {
        format!("{} × {}", self.refresh, self.gcs.join(", "))
    }
}

/// What kernels that preempt packets (`PREEMPT_RT`) say of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Preempted {
    /// Whether something went wrong; nothing if no cell of it ran.
    pub broke: Option<bool>,
    /// In words, with the count, or `not run`.
    pub words: String,
}

/// Prices: counted under emulation, and timed natively. The two never share a column.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Paid {
    /// What, and how much.
    pub counted: Vec<Price>,
    /// The same, on a real clock.
    pub timed: Vec<Price>,
}

/// A figure beside its reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Price {
    /// Of what: `live`, `one call each`, …
    pub of: String,
    /// The strategy that has it, where there are several.
    pub by: Option<String>,
    /// In the unit of its column.
    pub value: f64,
    /// Over the reference's.
    pub ratio: Option<f64>,
}
