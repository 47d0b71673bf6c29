// SPDX-License-Identifier: MIT OR Apache-2.0
//! What breaks a combination that is safe by itself: who has to follow its protocol, and what its flows may do.

use evidence::races::{Trials, figure, per_million};
use results::races::{Cell, Circumstance, Violation};

use crate::{
    kinds::{Evidence, Ordeal},
    numbers::{count, short},
    words::listed,
};

/// How the cells of a line did in one circumstance.
struct Trial {
    circumstance: Circumstance,
    /// The worst, with the highest rate that was counted.
    broke: Option<(Violation, Option<f64>)>,
    /// Columns that broke, and those that did not.
    by: (Vec<String>, Vec<String>),
    /// Removals without a violation.
    deletes: Trials,
    /// The model alone found nothing.
    model: bool,
}

/// All circumstances.
pub struct Ordeals(Vec<Trial>);

/// Those of a line's cells.
pub fn of(evidence: &Evidence, cells: &[Cell]) -> Ordeals {
    Ordeals(Circumstance::ALL.into_iter().map(|circumstance| trial(evidence, cells, circumstance)).collect())
}

fn trial(evidence: &Evidence, cells: &[Cell], circumstance: Circumstance) -> Trial {
    let mut trial = Trial {
        circumstance,
        broke: None,
        by: (Vec::new(), Vec::new()),
        deletes: Trials::default(),
        model: false,
    };
    for cell in cells {
        let column = cell.gc.clone();
        match evidence.ordeal(cell, circumstance) {
            Ordeal::Breaks(violation, seen) => {
                let rate = seen.map(|(count, deletes)| per_million(count, deletes));
                let (worst, most) = trial.broke.unwrap_or((violation, rate));
                let most = match (most, rate) {
                    (Some(one), Some(other)) => Some(f64::max(one, other)),
                    (one, other) => one.or(other),
                };
                trial.broke = Some((worst.min(violation), most));
                trial.by.0.push(column);
            }
            Ordeal::Survives(deletes) => {
                trial.deletes += deletes;
                trial.by.1.push(column);
            }
            Ordeal::SurvivesInTheModel => {
                trial.model = true;
                trial.by.1.push(column);
            }
            Ordeal::NotRun => {}
        }
    }
    // A column that broke on one map did not survive.
    trial.by.1.retain(|column| !trial.by.0.contains(column));
    trial.by.0.dedup();
    trial.by.1.dedup();
    trial
}

impl Ordeals {
    fn trial(&self, circumstance: Circumstance) -> Option<&Trial> {
        self.0.iter().find(|trial| trial.circumstance == circumstance)
    }

    /// Whether it broke; nothing if nobody looked.
    fn broke(&self, circumstance: Circumstance) -> Option<bool> {
        let trial = self.trial(circumstance)?;
        match (&trial.broke, trial.by.1.is_empty()) {
            (Some(_), _) => Some(true),
            (None, false) => Some(false),
            (None, true) => None,
        }
    }

    /// Who has to follow the protocol: whoever breaks it by not doing so.
    pub fn cooperate(&self) -> String {
        let asked = [Circumstance::AgentUpdates, Circumstance::AgentStores, Circumstance::HandDeletes];
        let broke = asked.map(|circumstance| self.broke(circumstance));
        let who = match broke.map(|broke| broke == Some(true)) {
            [true, true, true] => "all writers and deleters",
            [true, true, false] => "all writers",
            [true, false, true] => "all that replace or delete",
            [true, false, false] => "all that replace",
            [false, true, true] => "all that store in place or delete",
            [false, true, false] => "all that store in place",
            [false, false, true] => "all deleters",
            [false, false, false] if broke.contains(&None) => "",
            [false, false, false] => "nobody",
        };
        let untried: Vec<&str> = asked
            .into_iter()
            .zip(broke)
            .filter(|(_, broke)| broke.is_none())
            .map(|(circumstance, _)| circumstance.words())
            .collect();
        match (who, untried.as_slice()) {
            (who, []) => who.into(),
            ("", untried) if untried.len() == asked.len() => "not run".into(),
            ("", untried) => format!("nobody of those tried; not run: {}", listed(untried)),
            (who, untried) => format!("{who}; not run: {}", listed(untried)),
        }
    }

    /// Whether a flow has to stay on its CPU.
    pub fn flows(&self) -> String {
        match self.broke(Circumstance::Spread) {
            Some(true) => "must stay on one CPU".into(),
            Some(false) => "may move between CPUs".into(),
            None => "not run".into(),
        }
    }

    /// What breaks it.
    pub fn broken_by(&self) -> Vec<Circumstance> {
        self.0.iter().filter(|trial| trial.broke.is_some()).map(|trial| trial.circumstance).collect()
    }

    /// The same in words, with the rate.
    pub fn breaks(&self) -> Vec<String> {
        self.0.iter().filter_map(Trial::breaks).collect()
    }

    /// What it survived.
    pub fn survives(&self) -> Vec<String> {
        self.0.iter().filter_map(Trial::survives).collect()
    }

    /// What nobody tried.
    pub fn untried(&self) -> Vec<String> {
        self.0
            .iter()
            .filter(|trial| self.broke(trial.circumstance).is_none())
            .map(|trial| trial.circumstance.words().into())
            .collect()
    }
}

impl Trial {
    fn breaks(&self) -> Option<String> {
        let (violation, rate) = self.broke?;
        let rate = match rate {
            Some(rate) => format!("{} per million deletes", short(rate)),
            None => "by a schedule of the model".into(),
        };
        let whose =
            if self.by.1.is_empty() { String::new() } else { format!(" with {}", listed(&self.by.0)) };
        Some(format!("{}{whose}: {violation}, {rate}", self.circumstance.words()))
    }

    fn survives(&self) -> Option<String> {
        if self.by.1.is_empty() {
            return None;
        }
        let whose =
            if self.broke.is_none() { String::new() } else { format!(" with {}", listed(&self.by.1)) };
        let removals = format!(
            "none in {} deletes, below {} per million (95 %)",
            count(self.deletes.all),
            figure(self.deletes.losses_below())
        );
        let proof = match (self.deletes.all, self.model) {
            (0, true) => "by the model alone",
            (0, false) => "nothing was removed",
            _ => removals.as_str(),
        };
        Some(format!("{}{whose}: {proof}", self.circumstance.words()))
    }
}
