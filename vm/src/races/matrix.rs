// SPDX-License-Identifier: MIT OR Apache-2.0
//! One row for each cell, with all that was said of it.

use results::races::{
    Cell, Circumstance, Connections, Model, RaceEvent, Refusal, Side, Stress, Undisturbed, Witness,
};
use serde::{Deserialize, Serialize};

use super::agree::Standing;

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
    /// What it showed.
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
    #[serde(skip)]
    rates: Vec<f64>,
}

impl Row {
    fn new(cell: Cell) -> Self {
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
        self.witness.is_some() || self.stress.is_some() || !self.connections.is_empty()
    }

    /// The model is there and found nothing.
    pub fn model_is_clean(&self) -> bool {
        self.model.as_ref().is_some_and(|m| m.counterexamples.is_empty() && m.counterexample.is_none())
    }

    fn add_model(&mut self, model: &Model) {
        let Some(known) = &mut self.model else {
            self.model = Some(model.clone());
            return;
        };
        known.states += model.states;
        if known.memory != model.memory {
            known.memory = format!("{}+{}", known.memory, model.memory);
        }
        for (violation, steps) in &model.counterexamples {
            known.counterexamples.entry(*violation).or_insert_with(|| steps.clone());
        }
        known.counterexample = known.counterexamples.values().next().cloned();
    }

    fn add_witness(&mut self, witness: &Witness) {
        let Some(known) = &mut self.witness else {
            self.witness = Some(witness.clone());
            return;
        };
        known.replayed += witness.replayed;
        known.of += witness.of;
        for (violation, (seen, tried)) in &witness.by_violation {
            let sum = known.by_violation.entry(*violation).or_default();
            *sum = (sum.0 + seen, sum.1 + tried);
        }
        if known.held_by != witness.held_by {
            known.held_by = format!("{}, {}", known.held_by, witness.held_by);
        }
        known.notes.extend(witness.notes.iter().cloned());
    }

    fn add_stress(&mut self, stress: &Stress) {
        self.rates.push(per_million(stress.violations.total(), stress.deletes));
        let known = self.stress.get_or_insert_default();
        known.packets += stress.packets;
        known.refreshes += stress.refreshes;
        known.deletes += stress.deletes;
        known.seconds += stress.seconds;
        for violation in results::races::Violation::ALL {
            *known.violations.of_mut(violation) += stress.violations.of(violation);
        }
        for (name, count) in &stress.errors {
            *known.errors.entry(name.clone()).or_default() += count;
        }
        if self.rates.len() > 1 {
            let of = |pick: fn(f64, f64) -> f64, from| self.rates.iter().copied().fold(from, pick);
            let (least, most) = (of(f64::min, f64::INFINITY), of(f64::max, 0.0));
            self.spread = Some(Spread { runs: self.rates.len(), least, most });
        }
    }
}

/// All rows, in the order in which the cells were first named.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// The cells.
    pub rows: Vec<Row>,
    /// What each side does undisturbed.
    pub undisturbed: Vec<Undisturbed>,
}

impl Matrix {
    /// Adds what was said in a guest whose kernel carries `series`.
    pub fn add_from(&mut self, series: &str, events: &[RaceEvent]) {
        self.add(events);
        for cell in events.iter().filter_map(RaceEvent::cell) {
            self.row(cell).series = Some(series.to_owned());
        }
    }

    /// The series other than `series` whose kernels alone have what a strategy of some cell takes.
    pub fn other_series(&self, series: &str) -> Vec<String> {
        let asked = |name: &str| self.rows.iter().any(|row| row.cell.gc == name);
        let mut needed: Vec<String> = self
            .undisturbed
            .iter()
            .filter(|side| asked(&side.name))
            .filter_map(|side| side.series.clone())
            .filter(|needed| needed != series)
            .collect();
        needed.sort();
        needed.dedup();
        needed
    }

    /// Adds what was said.
    pub fn add(&mut self, events: &[RaceEvent]) {
        for event in events {
            match event {
                RaceEvent::Plan { .. } | RaceEvent::Began { .. } | RaceEvent::Done { .. } => {}
                RaceEvent::Undisturbed(undisturbed) => self.undisturbed.push(undisturbed.clone()),
                RaceEvent::Modelled { cell, model } => self.row(cell).add_model(model),
                RaceEvent::Refused { cell, refusal } => self.row(cell).refused = Some(refusal.clone()),
                RaceEvent::Absent { cell, reason } => self.row(cell).absent = Some(reason.clone()),
                RaceEvent::Witnessed { cell, witness } => self.row(cell).add_witness(witness),
                RaceEvent::Stressed { cell, stress } => self.row(cell).add_stress(stress),
                RaceEvent::Disturbed { cell, circumstance, stress } => {
                    let disturbed = Disturbed { circumstance: *circumstance, stress: stress.clone() };
                    self.row(cell).disturbed.push(disturbed);
                }
                RaceEvent::Connected { cell, connections } => {
                    self.row(cell).connections.push(connections.clone());
                }
                RaceEvent::Failed { cell, evidence, error } => {
                    let failure = Failure { evidence: evidence.clone(), error: error.clone() };
                    self.row(cell).failed.push(failure);
                }
            }
        }
    }

    fn row(&mut self, cell: &Cell) -> &mut Row {
        let at = self.rows.iter().position(|row| &row.cell == cell).unwrap_or_else(|| {
            self.rows.push(Row::new(cell.clone()));
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    /// What one side does undisturbed, if the model told. Waiting for a grace period changes nothing of it.
    pub fn undisturbed(&self, side: Side, name: &str) -> Option<&Undisturbed> {
        let of = |name: &str| self.undisturbed.iter().find(|u| u.side == side && u.name == name);
        of(name).or_else(|| of(name.strip_suffix("+grace")?))
    }

    /// The values of one dimension, in order.
    pub fn names(&self, of: impl Fn(&Cell) -> &String) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.rows {
            let name = of(&row.cell).as_str();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The row of a cell.
    pub fn find(&self, refresh: &str, gc: &str, map: &str) -> Option<&Row> {
        self.rows.iter().find(|r| r.cell.refresh == refresh && r.cell.gc == gc && r.cell.map == map)
    }
}

/// `count` of `all`, per million; nothing of nothing is nothing.
#[allow(clippy::cast_precision_loss, reason = "a rate is shown with two digits")]
pub fn per_million(count: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { count as f64 * 1e6 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::made_up::{cell, model, stressed, undisturbed, witnessed};
    use results::races::Violation::{Gap, LostRefresh};

    #[test]
    fn what_is_said_of_a_cell_comes_together_in_its_row() {
        let here = || cell("store", "blind", "hash");
        let mut matrix = Matrix::default();
        matrix.add(&[
            model(here(), &[LostRefresh]),
            model(cell("store", "blind", "lru-hash"), &[]),
            stressed(here(), 100, 1_000_000, 3),
            stressed(here(), 200, 1_000_000, 5),
            witnessed(here(), LostRefresh, 10, 10),
            witnessed(here(), Gap, 3, 10),
        ]);
        assert_eq!(matrix.names(|cell| &cell.map), ["hash", "lru-hash"]);
        let row = matrix.find("store", "blind", "hash").unwrap();
        let stress = row.stress.as_ref().unwrap();
        assert_eq!((stress.refreshes, stress.deletes, stress.violations.lost_refresh), (300, 2_000_000, 8));
        assert_eq!(row.spread, Some(Spread { runs: 2, least: 3.0, most: 5.0 }));
        let witness = row.witness.as_ref().unwrap();
        assert_eq!((witness.replayed, witness.of, witness.by_violation[&Gap]), (13, 20, (3, 10)));
        assert!(matrix.find("store", "blind", "lru-hash").unwrap().model_is_clean());
    }

    #[test]
    fn another_series_is_needed_only_for_cells_that_are_asked_for() {
        let here = || cell("store", "prog-kfunc", "hash");
        let RaceEvent::Undisturbed(side) = undisturbed(Side::Gc, "prog-kfunc", 1) else {
            unreachable!("that is what it makes")
        };
        let needs = RaceEvent::Undisturbed(Undisturbed { series: Some("kfunc".into()), ..side });
        let mut matrix = Matrix::default();
        matrix.add(&[needs, model(cell("store", "blind", "hash"), &[])]);
        assert!(matrix.other_series("v2").is_empty(), "no such cell");
        matrix.add(&[model(here(), &[])]);
        assert_eq!(matrix.other_series("v2"), ["kfunc"]);
        assert!(matrix.other_series("kfunc").is_empty(), "that is the one under test");
        matrix.add_from("kfunc", &[stressed(here(), 1, 1, 0)]);
        let from = |gc| matrix.find("store", gc, "hash").unwrap().series.clone();
        assert_eq!((from("prog-kfunc"), from("blind")), (Some("kfunc".into()), None));
    }

    #[test]
    fn a_row_reads_as_the_contract_has_it() {
        let mut matrix = Matrix::default();
        matrix.add(&[model(cell("store", "blind", "hash"), &[])]);
        let json = serde_json::to_value(&matrix.rows[0]).unwrap();
        for key in ["refresh", "gc", "map", "refused", "model", "witness", "stress", "agree"] {
            assert!(json.get(key).is_some(), "{key}: {json}");
        }
        assert!(json["refused"].is_null() && json["witness"].is_null() && json["agree"].is_null());
        assert!(json["model"]["states"].is_u64() && json["model"]["counterexample"].is_null());
    }
}
