// SPDX-License-Identifier: MIT OR Apache-2.0
//! A cell of the matrix with all that was said of it.

use approaches::Place;
use results::races::{Cell, Circumstance, Connections, Model, Refusal, Stress, Violation, Witness};
use serde::{Deserialize, Serialize};

/// How a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All that should be there is, and agrees.
    Agree,
    /// Two kinds of evidence contradict each other.
    Disagree,
    /// Evidence that should be there is not.
    Missing,
    /// The kernel refuses the combination; the model stands alone.
    Refused,
    /// There is no such kernel; the model stands alone, with the reason.
    Absent,
    /// The model alone was asked for.
    ModelOnly,
}

/// What could not be found out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of evidence.
    pub evidence: String,
    /// The error.
    pub error: String,
}

/// How far several stress runs of a cell lie apart: violations of any kind per million deletes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many runs.
    pub runs: usize,
    /// The lowest rate.
    pub least: f64,
    /// The highest.
    pub most: f64,
}

/// A free run under circumstances that are worse than the cell's claim has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disturbed {
    /// Which.
    pub circumstance: Circumstance,
    /// What was seen, over all such runs.
    pub stress: Stress,
}

/// A cell and its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    #[serde(flatten)]
    pub cell: Cell,
    /// The series whose kernel the evidence is from.
    pub series: Option<String>,
    /// The kernel's no to it.
    pub refused: Option<Refusal>,
    /// Why there is no evidence of the kernel, if not by its refusal.
    pub absent: Option<String>,
    /// What the model found.
    pub model: Option<Model>,
    /// What replaying showed.
    pub witness: Option<Witness>,
    /// All stress runs together.
    pub stress: Option<Stress>,
    /// If there were several.
    pub spread: Option<Spread>,
    /// Free runs in worse circumstances.
    #[serde(default)]
    pub disturbed: Vec<Disturbed>,
    /// Real connections, with and without a second map.
    pub connections: Vec<Connections>,
    /// What could not be found out.
    pub failed: Vec<Failure>,
    /// Whether the kinds of evidence agree; nothing if there is no more than the model.
    pub agree: Option<bool>,
    /// The same in more words.
    pub standing: Standing,
    /// Why; a disagreement says which step to look at.
    pub notes: Vec<String>,
    /// Of each stress run; see [`Spread`].
    #[serde(skip)]
    pub(super) rates: Vec<f64>,
}

impl Row {
    pub(super) fn new(cell: Cell) -> Self {
        Self {
            cell,
            series: None,
            refused: None,
            absent: None,
            model: None,
            witness: None,
            stress: None,
            spread: None,
            disturbed: Vec::new(),
            connections: Vec::new(),
            failed: Vec::new(),
            agree: None,
            standing: Standing::Missing,
            notes: Vec::new(),
            rates: Vec::new(),
        }
    }

    /// Something was seen in the kernel.
    pub fn ran_in_the_kernel(&self) -> bool {
        let replayed = self.witness.as_ref().is_some_and(|witness| witness.of > 0);
        replayed || self.stress.is_some() || !self.connections.is_empty()
    }

    /// The model is there and found nothing.
    pub fn model_is_clean(&self) -> bool {
        self.model.as_ref().is_some_and(|m| m.counterexamples.is_empty() && m.counterexample.is_none())
    }

    /// In a run of it, by itself or disturbed, the map was to evict and did not.
    pub fn should_have_evicted(&self, stress: &Stress) -> bool {
        let full = |place: Place| place.gc.is_tried_with_evictions(place.map);
        stress.evicted == 0 && Place::of(&self.cell).is_some_and(full)
    }

    /// The worse circumstances in which more goes wrong than the claim has: by the model, or in a run.
    pub fn breaks_in(&self) -> Vec<Circumstance> {
        let claimed = |violation: &Violation| {
            self.model.as_ref().is_some_and(|model| model.counterexamples.contains_key(violation))
        };
        let found = |circumstance: &Circumstance| {
            let worse = self.model.as_ref().and_then(|model| model.if_worse.get(circumstance));
            let modelled = worse.into_iter().flat_map(|worse| worse.keys().copied());
            let runs = self.disturbed.iter().filter(|run| run.circumstance == *circumstance);
            let seen = runs.flat_map(|run| {
                Violation::ALL.into_iter().filter(|violation| run.stress.violations.of(*violation) > 0)
            });
            modelled.chain(seen).any(|violation| !claimed(&violation))
        };
        Circumstance::ALL.into_iter().filter(found).collect()
    }
}

/// A cell's name among test results.
pub fn name_of(cell: &Cell) -> String {
    format!("races::{}::{}::{}", cell.refresh, cell.gc, cell.map)
}
