// SPDX-License-Identifier: MIT OR Apache-2.0
//! All cells, put together from what was said of them.

use approaches::{Column, Place, cells::carries};
use results::races::{Cell, RaceEvent, Side, Undisturbed};

use super::row::{Failure, Row};

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

    /// Adds what was said on a kernel without any series. The lab goes through the whole catalogue: a cell that was not asked
    /// for, and of which it only says that nothing ran, makes no row.
    pub fn add_unpatched(&mut self, events: &[RaceEvent]) {
        for event in events {
            let stranger = |cell: &Cell| !self.rows.iter().any(|row| row.cell == *cell);
            if !matches!(event, RaceEvent::Absent { cell, .. } if stranger(cell)) {
                self.add(std::slice::from_ref(event));
            }
        }
    }

    /// The kernels other than that with `series` which alone have what some cell takes: that of `default`, if it has it.
    pub fn other_series(&self, series: &str, default: &str) -> Vec<String> {
        let kernel_with = |needed| if carries(default, needed) { default } else { needed };
        let mut needed: Vec<String> = self
            .rows
            .iter()
            .filter_map(|row| Place::of(&row.cell)?.series())
            .filter(|needed| !carries(series, needed))
            .map(|needed| kernel_with(needed).to_owned())
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
                    self.row(cell).add_disturbed(*circumstance, stress);
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
        of(name).or_else(|| of(Column::named(name)?.name))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::made_up::{absent, cell, disturbed, model, stressed, witnessed};
    use crate::races::row::Spread;
    use approaches::Gc;
    use results::races::Circumstance;
    use results::races::Violation::{Gap, LostRefresh};

    const DEFAULT: &str = "v3+kfunc";

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
        let needs = Gc::ALL.iter().find(|gc| gc.series.is_some()).unwrap();
        let series = needs.series.unwrap();
        let here = || cell("store", needs.name, "hash");
        let mut matrix = Matrix::default();
        matrix.add(&[model(cell("store", "blind", "hash"), &[])]);
        assert!(matrix.other_series("none", DEFAULT).is_empty(), "no such cell");
        matrix.add(&[model(here(), &[])]);
        let others = matrix.other_series("none", DEFAULT);
        assert!(others.len() == 1 && carries(&others[0], series), "{others:?}");
        for tested in [series, &others[0], &format!("none+{series}")] {
            assert!(matrix.other_series(tested, DEFAULT).is_empty(), "{tested} has it");
        }
        matrix.add_from(series, &[stressed(here(), 1, 1, 0)]);
        let from = |gc| matrix.find("store", gc, "hash").unwrap().series.clone();
        assert_eq!((from(needs.name), from("blind")), (Some(series.into()), None));
    }

    #[test]
    fn runs_in_one_circumstance_come_together() {
        let here = || cell("store", "blind", "hash");
        let mut matrix = Matrix::default();
        matrix.add(&[
            disturbed(here(), Circumstance::TwoCollectors, 100, 3),
            disturbed(here(), Circumstance::HandDeletes, 100, 1),
            disturbed(here(), Circumstance::TwoCollectors, 100, 4),
        ]);
        let runs = &matrix.rows[0].disturbed;
        let seen: Vec<_> =
            runs.iter().map(|run| (run.circumstance, run.stress.violations.lost_refresh)).collect();
        assert_eq!(seen, [(Circumstance::TwoCollectors, 7), (Circumstance::HandDeletes, 1)]);
        assert_eq!(runs[0].stress.refreshes, 200);
        let json = serde_json::to_value(&matrix.rows[0]).unwrap();
        assert_eq!(json["disturbed"][0]["circumstance"], "two-collectors");
        assert_eq!(json["disturbed"][0]["stress"]["evicted_live"], 0);
        let row: Row = serde_json::from_value(json).unwrap();
        assert_eq!(row.disturbed, matrix.rows[0].disturbed);
    }

    #[test]
    fn a_lab_that_goes_through_the_whole_catalogue_makes_no_rows_of_what_it_leaves_out() {
        let mut matrix = Matrix::default();
        matrix.add(&[model(cell("store", "blind", "hash"), &[])]);
        matrix.add_unpatched(&[
            absent(cell("store", "compare", "hash")),
            absent(cell("store", "blind", "hash")),
        ]);
        assert_eq!(matrix.rows.len(), 1);
        assert!(matrix.rows[0].absent.is_some());
    }

    #[test]
    fn a_row_reads_as_the_contract_has_it() {
        let mut matrix = Matrix::default();
        matrix.add(&[model(cell("store", "blind", "hash"), &[])]);
        let json = serde_json::to_value(&matrix.rows[0]).unwrap();
        for key in ["refresh", "gc", "map", "refused", "model", "witness", "stress", "disturbed", "agree"] {
            assert!(json.get(key).is_some(), "{key}: {json}");
        }
        assert!(json["refused"].is_null() && json["witness"].is_null() && json["agree"].is_null());
        assert!(json["model"]["states"].is_u64() && json["model"]["counterexample"].is_null());
    }
}
