// SPDX-License-Identifier: MIT OR Apache-2.0
//! The races on this machine's own kernel, as it is: no guest, no emulation, no patch. The lab's maps, programs and network
//! namespaces live as long as its process, and that lives no longer than this one.

use std::{path::Path, process::Command};

use anyhow::Result;
use evidence::races::{
    Kept, Matrix, explored,
    judge::{self, Native},
    listen::Evidence,
};
use guest::{
    channel::{EVENTS, keep_events},
    folder,
    verdict::Judged,
};
use results::races::RaceEvent;

use super::{
    follow::{Follow, Followed},
    lab::{LONG, MODEL, Options, Races, UNPATCHED},
};

/// Names the folder of the run, its log and its phase.
const NAME: &str = "races-here";

impl Races<'_> {
    /// Runs the lab of `programs` here, has it replay what the model `said`, and judges. Keeps its events, however it
    /// ends.
    ///
    /// # Errors
    /// When the run is interrupted or out of time, the lab never came to its first step, it may not load programs, or there
    /// is no cell.
    pub fn here(
        &self,
        programs: &Path,
        said: &[RaceEvent],
        options: Options<'_>,
        matrix: &mut Matrix,
    ) -> Result<Judged> {
        let run = folder::fresh_run_folder(&self.ctx.out, NAME)?;
        explored::write(&run.join(MODEL), said)?;
        let mut command = Command::new(programs.join("lab"));
        command.args(["races", UNPATCHED]).args(self.options(EVENTS)).current_dir(&run);
        if options.long {
            command.arg(LONG);
        }
        let native = self.ctx.phase("races here", || {
            let mut evidence = Evidence::default();
            let follow = Follow {
                ctx: self.ctx,
                command: &command,
                run: &run,
                name: NAME,
                silence: self.limits.silence,
            };
            let followed = follow.to_the_end(&mut evidence, || ());
            keep_events(&run, options.keep)?;
            let Followed { trouble, last } = followed?;
            Ok((Native { evidence, trouble, last, debugger: false }, false))
        })?;
        matrix.add_unpatched(&native.evidence.events);
        judge::judge_native(matrix, &native, self.asked.filter.is_some())
    }

    /// Judges what was said in guests with `series`, or on a kernel without any, beside what the model has said in `matrix`:
    /// nothing is run.
    ///
    /// # Errors
    /// When there is no cell.
    pub fn kept(&self, kept: Kept, series: Option<&str>, matrix: &mut Matrix) -> Result<Judged> {
        for said in &kept.0 {
            match series {
                Some(series) => {
                    matrix.add_from(&said.series().unwrap_or_else(|| series.to_owned()), &said.events);
                }
                None => matrix.add_unpatched(&said.that_counts()),
            }
        }
        let evidence = Evidence::of(kept.0.into_iter().flat_map(|said| said.events));
        let native = Native { evidence, trouble: None, last: Vec::new(), debugger: series.is_some() };
        judge::judge_native(matrix, &native, self.asked.filter.is_some())
    }
}
