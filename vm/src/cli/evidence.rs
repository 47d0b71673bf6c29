// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of what fills the matrix, measures, and reports.

use std::path::PathBuf;

use clap::{ArgGroup, Args, builder::PossibleValuesParser};
use kernel::{series::DEFAULT, stock};

use super::{KernelOpts, LimitOpts, MachineOpts};

/// Options of `races`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("ground").args(["model_only", "here", "stock"]))]
#[command(group = ArgGroup::new("unpatched").args(["here", "stock"]))]
pub struct Races {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Folder of kernel-patches/ to apply, or `base` for none
    #[arg(long, value_name = "NAME", default_value = DEFAULT, conflicts_with = "ground")]
    pub series: String,
    /// Only the cells whose `refresh × gc on map` contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Explore the model alone; install, build and boot nothing
    #[arg(long)]
    pub model_only: bool,
    /// Run what needs no patch on this machine's own kernel, as root: two minutes at most
    #[arg(long)]
    pub here: bool,
    /// Run what needs no patch on Debian's own kernel of this line, in a guest
    #[arg(long, value_name = "LINE", value_parser = PossibleValuesParser::new(stock::lines()))]
    pub stock: Option<String>,
    /// Run each cell until zero observations bound its rate by 1 in 10 million: hours
    #[arg(long, requires = "unpatched")]
    pub long: bool,
    /// Fewer repetitions, and not all types of map; the model whole
    #[arg(long, conflicts_with = "ground")]
    pub quick: bool,
    /// Run nothing: judge once more what guests with the series have said, or with --here or --stock a kernel without, from a file of
    /// events; may be given several times
    #[arg(long, value_name = "EVENTS", conflicts_with_all = ["model_only", "quick", "long"])]
    pub from: Vec<PathBuf>,
    #[command(flatten)]
    /// When a guest is given up.
    pub limits: LimitOpts,
    /// Print matrix.json on standard output, everything else on standard error
    #[arg(long)]
    pub json: bool,
}

/// Options of `bench`.
#[derive(Clone, Debug, Args)]
pub struct Bench {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Folder of kernel-patches/, or `base` for none; may be given several times. The first gets the whole bench
    /// [default: v3+kfunc and base]
    #[arg(long, value_name = "NAME")]
    pub series: Vec<String>,
    /// Only the figures whose name contains this: `compare hit`, `on lru-hash`, `gc compare`
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Single operations, and a small round of GC
    #[arg(long)]
    pub quick: bool,
    /// Step through single calls and tell how many instructions each function takes
    #[arg(long)]
    pub functions: bool,
    /// Run each kernel twice and compare
    #[arg(long)]
    pub twice: bool,
    #[command(flatten)]
    /// When a guest is given up.
    pub limits: LimitOpts,
    /// Print bench.json on standard output, everything else on standard error
    #[arg(long)]
    pub json: bool,
}

/// Options of `calibrate`.
#[derive(Clone, Debug, Args)]
pub struct Calibrate {
    #[command(flatten)]
    /// The kernel whose headers the programs are built with.
    pub kernel: KernelOpts,
    /// Only the figures whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Print calibrate.json on standard output, everything else on standard error
    #[arg(long)]
    pub json: bool,
}

/// Options of `report`.
#[derive(Clone, Debug, Args)]
pub struct Report {
    /// The matrix [default: target/races/matrix.json]
    #[arg(long, value_name = "FILE")]
    pub races: Option<PathBuf>,
    /// The costs [default: target/bench/bench.json]
    #[arg(long, value_name = "FILE")]
    pub bench: Option<PathBuf>,
    /// From the evidence that is kept in docs/report/evidence/, judged again: it takes Rust alone, and a minute. So it is done
    /// as well where nothing has been run
    #[arg(long, conflicts_with_all = ["races", "bench"])]
    pub kept: bool,
    /// Have headless Chromium render the page: it fits, the console stays empty, charts have text alternatives
    #[arg(long)]
    pub check: bool,
    /// Print what a mail has room for on standard output: 72 lines of 72 columns
    #[arg(long)]
    pub brief: bool,
    /// Keep it in docs/report/, with a picture of the matrix
    #[arg(long, requires = "check")]
    pub keep: bool,
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};

    fn races(line: &str) -> Option<super::Races> {
        let words: Vec<&str> = std::iter::once("races").chain(line.split_whitespace()).collect();
        match Cli::typed(&words).ok()?.command {
            Command::Races(opts) => Some(opts),
            _ => None,
        }
    }

    #[test]
    fn races_run_on_one_ground_at_a_time() {
        for line in ["--here --long", "--stock 7.3-rt --filter hash", "--model-only", "--quick --series base"]
        {
            assert!(races(line).is_some(), "{line}");
        }
        for line in [
            "--here --stock 6.1",
            "--here --model-only",
            "--here --series rfc",
            "--stock 6.1 --quick",
            "--stock 5.10",
            "--long",
        ] {
            assert!(races(line).is_none(), "{line}");
        }
        let limit = |line| races(line).unwrap().kernel.limit();
        assert_eq!(
            (limit("--here"), limit("--timeout 7200")),
            (std::time::Duration::MAX, std::time::Duration::from_secs(7200))
        );
    }
}
