// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the races: the model here, the rest in guests whose kernels were built for it.

use anyhow::Result;
use approaches::Place;
use evidence::races::{
    Matrix, explored,
    judge::{self, Guest as Seen},
    listen::Evidence,
};
use results::races::RaceEvent;

use ground::{context::Ctx, exec::quoted};

use guest::{
    channel::EVENTS,
    debugger,
    machine::{Ended, Limits},
    verdict::Judged,
};

use kernel::series::{DEFAULT, Series};

use crate::{
    built::Built,
    run_report::Report,
    steps::{Bench, Guest},
    workshop::Workshop,
};

/// What the model said, in the folder of who replays it.
pub const MODEL: &str = "model.jsonl";

/// What is asked of the lab.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Only the cells whose `refresh × gc on map` holds this.
    pub filter: Option<String>,
    /// The form that vm-test has time for. The model is explored whole in either.
    pub quick: bool,
    /// Only what runs on a kernel without a series, and is meant to run at all.
    pub unpatched: bool,
}

impl Asked {
    /// The cells, in the order of the catalogue.
    pub fn places(&self) -> Vec<Place> {
        approaches::all().filter(|place| self.wants(place)).collect()
    }

    fn wants(&self, place: &Place) -> bool {
        (!self.unpatched || !place.patched() && place.model_alone().is_none())
            && self.filter.as_ref().is_none_or(|text| place.cell().to_string().contains(text.as_str()))
    }
}

/// Which cells a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cells {
    /// All but those that take a series which its kernel does not carry.
    ButOthers,
    /// Those that take the very series that its kernel carries.
    Own,
}

/// What was learnt from one guest.
pub struct Raced {
    /// What the lab said.
    pub evidence: Evidence,
    /// How the guest ended.
    pub ended: Ended,
    /// Its console.
    pub console: String,
}

/// A run of the races.
pub struct Races<'a> {
    /// Passed on.
    pub ctx: &'a Ctx,
    /// What is asked.
    pub asked: Asked,
    /// When to stop waiting.
    pub limits: Limits,
}

impl Races<'_> {
    /// The options that every part of the lab takes, the events in the file `events`.
    pub(super) fn options(&self, events: &str) -> Vec<String> {
        let mut options = vec!["--events".into(), events.into(), "--model".into(), MODEL.into()];
        if let Some(filter) = &self.asked.filter {
            options.extend(["--filter".into(), filter.clone()]);
        }
        options
    }

    /// Explores the model; gives all that it said.
    ///
    /// # Errors
    /// When the run is interrupted or out of time: nothing is known then of the cells that were not reached.
    pub fn model(&self, matrix: &mut Matrix) -> Result<Vec<RaceEvent>> {
        let places = self.asked.places();
        let said = self.ctx.phase("model", || Ok((explored::events(self.ctx, &places)?, false)))?;
        matrix.add(&said);
        Ok(said)
    }

    /// All of it: explores the model, boots `built` and, for cells that take another series, the kernel with that one,
    /// and judges all cells. Says in `report` which kernels those were, and where their consoles are.
    ///
    /// # Errors
    /// When the model is stopped, a kernel cannot be built, a guest never came to its first step, or there is
    /// no cell.
    pub fn run(
        &self,
        shop: &Workshop<'_>,
        bench: &Bench<'_>,
        built: &Built,
        report: &mut Report,
        matrix: &mut Matrix,
    ) -> Result<Judged> {
        report.consoles.push(bench.console(&console_name(built)));
        let said = self.model(matrix)?;
        let mut raced = vec![self.guest(bench, built, Cells::ButOthers, &said, matrix)?];
        for name in matrix.other_series(&built.series, DEFAULT) {
            let other = shop.build(&Series::read(&self.ctx.root, &name)?)?;
            report.other_kernels.push(shop.report_of(&other));
            report.consoles.push(bench.console(&console_name(&other)));
            raced.push(self.guest(bench, &other, Cells::Own, &said, matrix)?);
        }
        self.judge(&raced, matrix)
    }

    /// Judges what guests showed.
    ///
    /// # Errors
    /// When one never came to its first step, or there is no cell.
    pub(super) fn judge(&self, raced: &[Raced], matrix: &mut Matrix) -> Result<Judged> {
        let (boot_limit, silence_limit) = (self.limits.boot.as_secs(), self.limits.silence.as_secs());
        let seen: Vec<Seen<'_>> = raced
            .iter()
            .map(|Raced { evidence, ended, console }| Seen {
                evidence,
                ended: *ended,
                console,
                debugger: !self.asked.unpatched,
                boot_limit,
                silence_limit,
            })
            .collect();
        judge::judge(matrix, &seen, self.asked.filter.is_some())
    }

    /// Boots `built` and runs witness, stress and connections there.
    fn guest(
        &self,
        bench: &Bench<'_>,
        built: &Built,
        cells: Cells,
        model: &[RaceEvent],
        matrix: &mut Matrix,
    ) -> Result<Raced> {
        let name = console_name(built);
        let run = bench.run_folder(&name)?;
        explored::write(&run.join(MODEL), model)?;
        let words: Vec<String> = self.options(EVENTS).iter().map(|word| quoted(word)).collect();
        let mut command =
            format!("./lab races --kernel-series {} {}", quoted(&built.series), words.join(" "));
        if cells == Cells::Own {
            command.push_str(" --own");
        }
        if self.asked.quick {
            command.push_str(" --quick");
        }
        let mut evidence = Evidence::default();
        let guest = Guest {
            name: &name,
            run: &run,
            command: &command,
            limits: self.limits,
            beside: debugger::beside(&run),
        };
        let (ended, console) = bench.boot(built, guest, &mut evidence)?;
        matrix.add_from(&built.series, &evidence.events);
        Ok(Raced { evidence, ended, console })
    }

    /// Judges what the model said, if that is all that was asked for.
    ///
    /// # Errors
    /// When there is no cell.
    pub fn model_alone(&self, matrix: &mut Matrix) -> Result<Judged> {
        judge::judge(matrix, &[], self.asked.filter.is_some())
    }
}

/// Names the console log and the phase of the guest.
fn console_name(built: &Built) -> String {
    format!("races-{}", built.series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_no_patch_leaves_out_what_nobody_would_run() {
        let all = Asked::default().places();
        let asked = Asked { unpatched: true, ..Asked::default() };
        let here = asked.places();
        assert_eq!(all.len(), approaches::all().count());
        assert!(!here.is_empty() && here.len() < all.len());
        assert!(here.iter().all(|place| !place.patched()));
        assert!(here.iter().all(|place| place.model_alone().is_none()));
        let one = Asked { filter: Some("on arena".into()), ..asked };
        assert!(one.places().iter().all(|place| place.map.name() == "arena") && !one.places().is_empty());
    }
}
