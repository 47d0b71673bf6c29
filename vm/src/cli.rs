// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};

use crate::{config, series::DEFAULT, source};

/// From a fresh machine to a verdict on a kernel that carries a series.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads what follows `cargo xtask`.
    ///
    /// # Errors
    /// clap's, for something that it does not take.
    pub fn typed(arguments: &[&str]) -> Result<Self, clap::Error> {
        let words = std::iter::once("cargo xtask").chain(arguments.iter().copied());
        match Self::try_parse_from(words) {
            // `--help` and `--version` are answers, not faults; any command stands for them.
            Err(e) if !e.use_stderr() => Self::try_parse_from(["cargo xtask", "doctor"]),
            read => read,
        }
    }
}

/// One module of `cmd` each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the kernel with a series, boot it, run the tests, print the verdict
    VmTest(VmTest),
    /// Fill the matrix of refresh disciplines × gc strategies with evidence that has to agree
    #[command(after_long_help = RACES_EXAMPLES)]
    Races(Races),
    /// Write what was found out as a page, as text for a cover letter, and as JSON
    #[command(after_long_help = REPORT_EXAMPLES)]
    Report(Report),
    /// Measure what each approach costs: operations, packets, whole rounds of GC
    #[command(after_long_help = BENCH_EXAMPLES)]
    Bench(Bench),
    /// Measure what needs no patch on the kernel of this machine, in nanoseconds
    Calibrate(Calibrate),
    /// Open a shell in the VM, with `cmpdel` and `selftests` on its PATH
    Shell(Shell),
    /// Print what is there, what is missing, and how it will be installed
    Doctor(Doctor),
    /// Run every check, the quick ones first; ends with `N passed, N failed, N skipped`
    Ci(Ci),
    /// Check the series: applies, checkpatch, UAPI copies in step, subjects, cover letter
    Patches(Patches),
    /// Compare `uapi/src/bindings.rs` with what bindgen makes of the patched kernel's headers
    Bindings(Bindings),
    /// Run vm-test on deliberately wrong kernels: each has to be caught
    Mutants(Mutants),
    /// Run the kernel's own selftests with and without the series, and compare
    Kselftest(Kselftest),
    /// Panic, hang and lie in a booted kernel: each has to end in the right outcome
    Drill(Drill),
    /// List what the cache holds, or remove it
    Clean(Clean),
}

/// Which kernel, and how to make it.
#[derive(Clone, Debug, Args)]
pub struct KernelOpts {
    /// Kernel tree of your own, never modified [default: Debian's linux-source package]
    #[arg(long, value_name = "DIR")]
    pub kernel_src: Option<PathBuf>,
    /// Line of kernels whose newest source Debian's archive is asked for
    #[arg(long, value_name = "LINE", default_value = source::DEFAULT, conflicts_with = "kernel_src",
          value_parser = PossibleValuesParser::new(source::lines()))]
    pub base: String,
    /// How the kernel is configured: `debug` finds more faults, and is several times slower
    #[arg(long, value_name = "NAME", default_value = config::LEAN,
          value_parser = PossibleValuesParser::new(config::names()))]
    pub profile: String,
    /// Jobs of make [default: one for each CPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: Option<u32>,
    /// Use the cache and what is installed; fetch and install nothing
    #[arg(long)]
    pub offline: bool,
    /// Ask the archive for a newer kernel source
    #[arg(long, conflicts_with = "offline")]
    pub refresh: bool,
    /// Give up after this many seconds [default: 3600 for what builds one kernel, more for what takes longer]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
}

impl KernelOpts {
    /// The time limit of the run.
    pub fn limit(&self) -> Duration {
        self.limit_or(if self.profile == config::LEAN { 3600 } else { 3 * 3600 })
    }

    /// The same, for a command that takes so many seconds at most when nothing is cached.
    pub fn limit_or(&self, seconds: u64) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(seconds))
    }
}

/// How QEMU runs the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccelChoice {
    /// KVM where a guest really starts with it, TCG otherwise
    Auto,
    /// KVM or nothing
    Kvm,
    /// Emulation
    Tcg,
}

/// The virtual machine.
#[derive(Clone, Debug, Args)]
pub struct MachineOpts {
    /// How the guest is run
    #[arg(long, value_enum, default_value_t = AccelChoice::Auto)]
    pub accel: AccelChoice,
    /// Virtual CPUs [default: those of the host, at least 2 and at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub cpus: Option<u32>,
    /// Memory of the guest
    #[arg(long, value_name = "SIZE", default_value = "2G")]
    pub memory: String,
}

/// Options of `vm-test`.
#[derive(Clone, Debug, Args)]
pub struct VmTest {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Folder of kernel-patches/ to apply, or `base` for none
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
    /// Test the same base and config without the series as well
    #[arg(long)]
    pub with_base: bool,
    /// Run only the tests whose name contains this, and no races
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Leave out the quick form of `races`, which follows the tests on the kernel with the series
    #[arg(long)]
    pub no_races: bool,
    /// Call a test hung after this many seconds without an event
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub test_timeout: u64,
    /// Call the boot failed after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub boot_timeout: u64,
    /// Print the report on standard output, everything else on standard error
    #[arg(long)]
    pub json: bool,
}

/// Shown below the options of `races`.
const RACES_EXAMPLES: &str = "\
Examples:
  cargo xtask races                                      the whole matrix
  cargo xtask races --quick                              fewer repetitions, not all types of map
  cargo xtask races --filter 'replace × compare on hash' one cell
  cargo xtask races --filter lru-hash --json             all cells of a map, as JSON
  cargo xtask races --model-only                         every schedule in the model, and no kernel

Exit codes: 0, all evidence agrees; 1, some disagrees or is missing, or the kernel splatted; 69, could not run.
The matrix is in target/races/matrix.json, whatever happens.";

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

/// Shown below the options of `report`.
const REPORT_EXAMPLES: &str = "\
Examples:
  cargo xtask report                     of what `races` and `bench` left in target/
  cargo xtask report --races matrix.json of a matrix from elsewhere
  cargo xtask report --check             and have headless Chromium look at the page
  cargo xtask report --check --keep      and keep it in docs/report/

What was not run is said in the page, with the command that runs it.
Exit codes: 0, written; 1, an input contradicts itself or the page has a fault; 69, could not run.";

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
    /// Keep it in docs/report/, with a picture of its top
    #[arg(long, requires = "check")]
    pub keep: bool,
}

/// Shown below the options of `bench`.
const BENCH_EXAMPLES: &str = "\
Examples:
  cargo xtask bench                                      all of it: at most 15 minutes under emulation
  cargo xtask bench --quick                              single operations, and a small round of GC
  cargo xtask bench --series v2 --filter 'compare hit'   some rows on one kernel
  cargo xtask bench --quick --functions                  and where the instructions of a delete go
  cargo xtask bench --quick --twice                      whether two runs of one image agree

Exit codes: 0, every operation did what it says; 1, one did not, two runs differ, or a kernel splatted; 69, could not run.
Goals are printed beside the ratios and decide nothing. The figures are in target/bench/bench.json, whatever happens.";

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

/// Options of `shell`.
#[derive(Clone, Debug, Args)]
pub struct Shell {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Folder of kernel-patches/ to apply, or `base` for none
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
    /// Run this in the guest instead of an interactive shell
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,
}

/// Options of `doctor`.
#[derive(Clone, Debug, Args)]
pub struct Doctor {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of `ci`.
#[derive(Clone, Debug, Args)]
pub struct Ci {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
}

/// Options of `patches`.
#[derive(Clone, Debug, Args)]
pub struct Patches {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    /// Build the kernel after each patch
    #[arg(long)]
    pub build: bool,
    /// Compile the touched files with W=1 and sparse: no message may be new
    #[arg(long)]
    pub sparse: bool,
    /// Only this series
    #[arg(long, value_name = "NAME")]
    pub series: Option<String>,
}

/// Options of `bindings`.
#[derive(Clone, Debug, Args)]
pub struct Bindings {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    /// Folder of kernel-patches/ to apply
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
    /// Write what bindgen makes instead of comparing
    #[arg(long)]
    pub write: bool,
}

/// Options of `mutants`.
#[derive(Clone, Debug, Args)]
pub struct Mutants {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Series that the mutants change
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
    /// Only the mutants whose file name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

/// Options of `kselftest`.
#[derive(Clone, Debug, Args)]
pub struct Kselftest {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Folder of kernel-patches/ whose kernel is compared with the base
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
    /// Leave out test_maps, which takes many minutes under emulation
    #[arg(long)]
    pub quick: bool,
    /// Only the tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Print kselftest.json on standard output, everything else on standard error
    #[arg(long)]
    pub json: bool,
}

/// Options of `drill`.
#[derive(Clone, Debug, Args)]
pub struct Drill {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Series whose kernel is booted
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
}

/// Options of `clean`.
#[derive(Clone, Debug, Args)]
pub struct Clean {
    /// Parts to remove; with none, the parts are listed
    #[arg(value_name = "PART")]
    pub parts: Vec<String>,
    /// Remove all of it
    #[arg(long, conflicts_with = "parts")]
    pub all: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
