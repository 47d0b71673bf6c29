// SPDX-License-Identifier: MIT OR Apache-2.0
//! The races on a kernel as Debian ships it, in a guest: the half that needs no patch.

use anyhow::Result;
use evidence::races::{Matrix, explored, listen::Evidence};
use ground::exec::quoted;
use guest::{
    beside::Beside,
    channel::{EVENTS, keep_events},
    verdict::Judged,
};
use kernel::stock::Stock;
use results::races::RaceEvent;

use super::{
    lab::{LONG, MODEL, Options, Races, UNPATCHED},
    races::Raced,
};
use crate::{
    run_report::Report,
    steps::{Bench, Guest, stock_image},
};

impl Races<'_> {
    /// Boots `kernel`, has the lab replay there what the model `said`, and judges. Keeps the lab's events in `keep`, however it
    /// ends. Says in `report` where the console is.
    ///
    /// # Errors
    /// When the guest never came to its first step, or there is no cell.
    pub fn stock(
        &self,
        bench: &Bench<'_>,
        kernel: &Stock,
        said: &[RaceEvent],
        options: Options<'_>,
        report: &mut Report,
        matrix: &mut Matrix,
    ) -> Result<Judged> {
        let name = format!("races-stock-{}", kernel.line);
        report.consoles.push(bench.console(&name));
        let run = bench.run_folder(&name)?;
        explored::write(&run.join(MODEL), said)?;
        let words: Vec<String> = self.options(EVENTS).iter().map(|word| quoted(word)).collect();
        let mut command = format!("./lab races {UNPATCHED} {}", words.join(" "));
        if options.long {
            command.push_str(&format!(" {LONG}"));
        }
        let mut evidence = Evidence::default();
        let (limits, beside) = (self.limits, Beside::default());
        let guest = Guest { name: &name, run: &run, command: &command, limits, beside };
        let booted = bench.boot_image(&stock_image(kernel), guest, &mut evidence);
        keep_events(&run, options.keep)?;
        let (ended, console) = booted?;
        matrix.add_unpatched(&evidence.events);
        self.judge(&[Raced { evidence, ended, console }], matrix)
    }
}
