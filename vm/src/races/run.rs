// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the lab: its model here, the rest in a guest.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    judge::{self, Guest as Seen},
    listen::Evidence,
    matrix::Matrix,
};
use crate::{
    boot::{self, Limits},
    channel::{Channel, EVENTS},
    context::Ctx,
    debugger,
    events::Event,
    exec::{CommandFailed, Guarded, last_lines, line_of, quoted},
    report::Report,
    series::Series,
    steps::{Bench, Built, Guest, Workshop},
    verdict::Judged,
    watch::{Ended, Listener},
};

/// Between looks at the model's events.
const TICK: Duration = Duration::from_millis(50);
/// The model's events in the guest's folder: what the witness replays comes from there.
const MODEL: &str = "model.jsonl";

/// What is asked of the lab.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Only the cells whose `refresh × gc on map` holds this.
    pub filter: Option<String>,
    /// The form that vm-test has time for. The model is explored whole in either.
    pub quick: bool,
}

/// Which cells a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cells {
    /// All but those of strategies that take another series than its kernel carries.
    ButOthers,
    /// Those of strategies that take the very series that its kernel carries.
    Own,
}

/// What was learnt from one guest.
struct Raced {
    evidence: Evidence,
    ended: Ended,
    console: String,
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
    /// The options that every part of the lab takes.
    fn options(&self) -> Vec<String> {
        let mut options = vec!["--events".into(), EVENTS.into()];
        if let Some(filter) = &self.asked.filter {
            options.extend(["--filter".into(), filter.clone()]);
        }
        options
    }

    /// Explores the model on this machine; gives the file with all that it said.
    ///
    /// # Errors
    /// When the lab does not come to its end: nothing is known then of the cells that it did not reach.
    pub fn model(&self, programs: &Path, matrix: &mut Matrix) -> Result<PathBuf> {
        let evidence = self.ctx.phase("model", || Ok((self.explore(programs)?, false)))?;
        matrix.add(&evidence.events);
        Ok(self.ctx.out.join("run-model").join(EVENTS))
    }

    fn explore(&self, programs: &Path) -> Result<Evidence> {
        let run = boot::fresh_run_folder(&self.ctx.out, "model")?;
        let mut command = Command::new(programs.join("lab"));
        command.arg("model").args(self.options()).current_dir(&run);
        let line = line_of(&command);
        self.ctx.events.emit(&Event::Command { line: line.clone() });
        let log = self.ctx.out.join("logs").join("model.log");
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut guarded = Guarded::spawn(&command, file.try_clone()?.into(), file.into())?;
        let (mut channel, mut evidence) = (Channel::new(&run), Evidence::default());
        let mut last_event = Instant::now();
        let status = loop {
            let exited = guarded.child().try_wait()?;
            for event in channel.events()? {
                last_event = Instant::now();
                evidence.take_in(self.ctx, event);
            }
            if let Some(status) = exited {
                break status;
            }
            let stopped = || match evidence.running() {
                Some(what) => format!("`{line}` was stopped in {what}"),
                None => format!("`{line}` was stopped"),
            };
            if let Err(e) = self.ctx.still_wanted() {
                return Err(e.context(stopped()));
            }
            if last_event.elapsed() > self.limits.silence {
                let silence = self.limits.silence.as_secs();
                bail!("{}: it said nothing for {silence} s (--test-timeout)", stopped());
            }
            thread::sleep(TICK);
        };
        if !status.success() {
            let last = last_lines(&fs::read_to_string(&log).unwrap_or_default());
            let status = status.to_string();
            return Err(CommandFailed { line, status, last, log: Some(log) }.into());
        }
        if !evidence.done() {
            let planned = evidence.planned.unwrap_or_default();
            bail!("`{line}` ended after {} of {planned} steps, as if all were done", evidence.ended);
        }
        Ok(evidence)
    }

    /// All of it: explores the model, boots `built` and, for strategies that take another series, the kernel with that one,
    /// and judges all cells. Says in `report` which kernels those were, and where their consoles are.
    ///
    /// # Errors
    /// When the model does not come to its end, a kernel cannot be built, a guest never came to its first step, or there is
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
        let said = self.model(&bench.programs, matrix)?;
        let mut raced = vec![self.guest(bench, built, Cells::ButOthers, &said, matrix)?];
        for name in matrix.other_series(&built.series) {
            let other = shop.build(&Series::read(&self.ctx.root, &name)?)?;
            report.other_kernels.push(shop.report_of(&other));
            report.consoles.push(bench.console(&console_name(&other)));
            raced.push(self.guest(bench, &other, Cells::Own, &said, matrix)?);
        }
        let (boot_limit, silence_limit) = (self.limits.boot.as_secs(), self.limits.silence.as_secs());
        let seen: Vec<Seen<'_>> = raced
            .iter()
            .map(|Raced { evidence, ended, console }| Seen {
                evidence,
                ended: *ended,
                console,
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
        model: &Path,
        matrix: &mut Matrix,
    ) -> Result<Raced> {
        let name = console_name(built);
        let run = bench.run_folder(&name)?;
        fs::copy(model, run.join(MODEL)).context("cannot copy the model's events for the guest")?;
        let words: Vec<String> = self.options().iter().map(|word| quoted(word)).collect();
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
