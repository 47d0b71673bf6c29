// SPDX-License-Identifier: MIT OR Apache-2.0
//! A collector in a process of its own, as `keep` ships it: for each threshold that it reads it makes a round, and says how
//! many entries that removed. So it can be watched for its memory, and killed.

use std::env;
use std::io::{BufRead, BufReader, Lines, Write, stdin, stdout};
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use cmpdel_uapi::{Map, map_by_id};
use keep::{Field, Plan};

use crate::datapath::Datapath;
use crate::layout::LIFETIME;

/// What it works on.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Id of the map of entries
    #[arg(long, value_name = "ID")]
    map: u32,
    /// Id of the table of stripes
    #[arg(long, value_name = "ID")]
    stripes: u32,
}

/// The words that start it.
pub const COMMAND: &str = "collect";
/// What it says before its first round.
const READY: &str = "ready";

/// Makes rounds for as long as there are thresholds.
///
/// # Errors
/// What the kernel or the other side says.
pub fn run(options: &Options) -> Result<()> {
    let (map, stripes) = (map_by_id(options.map)?, map_by_id(options.stripes)?);
    let field = Field::unsigned(LIFETIME, 4);
    let mut collector = Plan::new(map.as_fd(), field).stripes(stripes.as_fd()).open()?;
    let mut out = stdout().lock();
    writeln!(out, "{READY}")?;
    for line in stdin().lock().lines() {
        let threshold: u32 = line?.trim().parse().context("a threshold is a number")?;
        let round = collector.round_counted(threshold.into())?;
        writeln!(out, "{}", round.deleted)?;
    }
    Ok(())
}

/// Such a process, at work on the map of a datapath. It ends with this.
pub struct Process {
    child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts one; it is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(datapath: &Datapath) -> Result<Self> {
        let id = |map: &str| -> Result<String> { Ok(Map::new(datapath.map(map)?)?.info().id.to_string()) };
        let mut child = Command::new(env::current_exe().context("cannot find this program")?)
            .args([COMMAND, "--map", &id("ct4")?, "--stripes", &id("keep_stripes")?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a collector")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (asks, answers) = pipes.context("a collector has no pipes")?;
        let mut started = Self { child, asks, answers: BufReader::new(answers).lines() };
        let said = started.answer()?;
        if said != READY {
            bail!("a collector began with {said:?}");
        }
        Ok(started)
    }

    /// Whose memory is watched.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has it begin a round, and does not wait for the end.
    ///
    /// # Errors
    /// When it is gone.
    pub fn ask(&mut self, threshold: u32) -> Result<()> {
        writeln!(self.asks, "{threshold}").context("a collector does not listen")
    }

    /// How many entries the round has removed that it was asked for.
    ///
    /// # Errors
    /// When it is gone.
    pub fn removed(&mut self) -> Result<u64> {
        self.answer()?.parse().context("a collector says how many entries it has removed")
    }

    fn answer(&mut self) -> Result<String> {
        self.answers.next().context("a collector has ended by itself")?.context("a collector cannot be read")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
