// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the races in guests whose kernels were built for it.

use anyhow::Result;
use evidence::races::{
    Matrix, explored,
    judge::{self, Guest as Seen},
    listen::Evidence,
};
use ground::exec::quoted;
use guest::{channel::EVENTS, debugger, machine::Ended, verdict::Judged};
use kernel::series::{DEFAULT, Series};
use results::{KernelReport, races::RaceEvent};

use super::lab::{MODEL, Races};
use crate::{
    built::Built,
    run_report::Report,
    steps::{Bench, Guest},
};

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

/// Builds the kernel with a series, and says what a report says of it.
pub type BuildWith<'a> = &'a dyn Fn(&Series) -> Result<(Built, KernelReport)>;

impl Races<'_> {
    /// All of it: explores the model, boots `built` and, for cells that take another series, the kernel with that one,
    /// and judges all cells. Says in `report` which kernels those were, and where their consoles are.
    ///
    /// # Errors
    /// When the model is stopped, a kernel cannot be built, a guest never came to its first step, or there is
    /// no cell.
    pub fn run(
        &self,
        build: BuildWith<'_>,
        bench: &Bench<'_>,
        built: &Built,
        report: &mut Report,
        matrix: &mut Matrix,
    ) -> Result<Judged> {
        report.consoles.push(bench.console(&console_name(built)));
        let said = self.model(matrix)?;
        let mut raced = vec![self.guest(bench, built, Cells::ButOthers, &said, matrix)?];
        for name in matrix.other_series(&built.series, DEFAULT) {
            let (other, told) = build(&Series::read(&self.ctx.root, &name)?)?;
            report.other_kernels.push(told);
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
}

/// Names the console log and the phase of the guest.
fn console_name(built: &Built) -> String {
    format!("races-{}", built.series)
}
