// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an example runs: its command line, its pace, and the traffic beside its collectors.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use clap::Parser;
use libbpf_rs::MapType;

use super::datapath::{Settings, Shape};
use super::flows::{Flow, Talked};
use super::show::Show;

/// Tracks flows through a veth pair of its own, and collects those that fall silent.
#[derive(Clone, Copy, Debug, Parser)]
pub struct Arguments {
    /// Keep entries in LRU maps
    #[arg(long)]
    lru: bool,
    /// Run for so many seconds
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(4..=3600))]
    seconds: u64,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
}

/// Short, for flows to expire while somebody watches.
pub const TICK: Duration = Duration::from_millis(250);
const LIFETIME: u32 = 8;
/// Half a lifetime: a flow that talks more often lives.
pub const HALF: Duration = TICK.saturating_mul(LIFETIME / 2);
/// Between messages of a live flow.
const INTERVAL: Duration = Duration::from_millis(600);

/// Runs an example; what goes wrong is one sentence on standard error.
pub fn main(name: &str, run: impl FnOnce(Arguments) -> Result<()>) -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    /// What is shown, and how.
    pub fn show(&self) -> Show {
        Show { json: self.json }
    }

    /// How the datapath is set.
    pub fn settings(&self) -> Result<Settings> {
        Ok(Settings { seed: keep::table::random_seed()?, tick: TICK, lifetime: LIFETIME, backends: 4 })
    }

    /// How its maps are made.
    pub fn shape(&self) -> Shape {
        let kind = if self.lru { MapType::LruHash } else { MapType::Hash };
        Shape { kind, flags: 0, entries: 4096 }
    }

    /// Has each silent flow say one thing, and the live ones talk for as long as this runs, while `collect` goes on until then.
    /// Gives what each live flow has to tell, and what `collect` does.
    pub fn talk<T>(
        &self,
        live: &mut [Flow],
        silent: &mut [Flow],
        collect: impl FnOnce(Instant) -> Result<T>,
    ) -> Result<(Vec<Talked>, T)> {
        for flow in &mut *silent {
            ensure!(flow.ask(0)?, "a new flow was not answered");
        }
        self.show().say(&format!(
            "{} flows talk every {INTERVAL:?}, {} are silent from now on; a lifetime is {:?}",
            live.len(),
            silent.len(),
            TICK * LIFETIME
        ));
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let (talked, collected) = thread::scope(|scope| {
            let talking: Vec<_> =
                live.iter_mut().map(|flow| scope.spawn(move || flow.talk(INTERVAL, end))).collect();
            let collected = collect(end);
            let talked =
                talking.into_iter().map(|flow| flow.join().map_err(|_| anyhow!("a flow panicked"))?);
            (talked.collect::<Result<Vec<_>>>(), collected)
        });
        Ok((talked?, collected?))
    }
}
