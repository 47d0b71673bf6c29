// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the lab says of a cell more than once comes together in its row: runs add up, the first schedule stands.

use results::races::{Circumstance, Model, Stress, Witness};

use super::{
    rate::per_million,
    row::{Disturbed, Row, Spread},
};

impl Row {
    pub(super) fn add_model(&mut self, model: &Model) {
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
        for (circumstance, found) in &model.if_worse {
            let worse = known.if_worse.entry(*circumstance).or_default();
            for (violation, steps) in found {
                worse.entry(*violation).or_insert_with(|| steps.clone());
            }
        }
    }

    pub(super) fn add_witness(&mut self, witness: &Witness) {
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
        for (violation, why) in &witness.beyond {
            known.beyond.entry(*violation).or_insert_with(|| why.clone());
        }
        if known.held_by != witness.held_by {
            known.held_by = format!("{}, {}", known.held_by, witness.held_by);
        }
        known.notes.extend(witness.notes.iter().cloned());
    }

    pub(super) fn add_stress(&mut self, stress: &Stress) {
        self.rates.push(per_million(stress.violations.total(), stress.deletes));
        self.stress.get_or_insert_default().add(stress);
        if self.rates.len() > 1 {
            let of = |pick: fn(f64, f64) -> f64, from| self.rates.iter().copied().fold(from, pick);
            let (least, most) = (of(f64::min, f64::INFINITY), of(f64::max, 0.0));
            self.spread = Some(Spread { runs: self.rates.len(), least, most });
        }
    }

    pub(super) fn add_disturbed(&mut self, circumstance: Circumstance, stress: &Stress) {
        match self.disturbed.iter_mut().find(|known| known.circumstance == circumstance) {
            Some(known) => known.stress.add(stress),
            None => self.disturbed.push(Disturbed { circumstance, stress: stress.clone() }),
        }
    }
}
