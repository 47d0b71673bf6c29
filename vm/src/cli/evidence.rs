// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of what fills the matrix, measures, and reports.

use std::path::PathBuf;

use clap::Args;

use super::{KernelOpts, MachineOpts};
use crate::series::DEFAULT;

/// Options of `races`.
#[derive(Clone, Debug, Args)]
pub struct Races {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Folder of kernel-patches/ to apply, or `base` for none
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
    /// Only the cells whose `refresh × gc on map` contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Explore the model alone; build and boot nothing
    #[arg(long)]
    pub model_only: bool,
    /// Fewer repetitions, and not all types of map; the model whole
    #[arg(long)]
    pub quick: bool,
    /// Call a step hung after this many seconds without an event
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub test_timeout: u64,
    /// Call the boot failed after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub boot_timeout: u64,
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
    /// [default: v2, base and kfunc; with --quick v2 and base]
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
    /// Call a step hung after this many seconds without an event
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub test_timeout: u64,
    /// Call the boot failed after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub boot_timeout: u64,
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
    /// Have headless Chromium render the page: it fits, the console stays empty, charts have text alternatives
    #[arg(long)]
    pub check: bool,
    /// Print what a mail has room for on standard output: 72 lines of 72 columns
    #[arg(long)]
    pub brief: bool,
    /// Keep it in docs/report/, with a picture of its top
    #[arg(long, requires = "check")]
    pub keep: bool,
}
