// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: a file for each group of commands, one with the options that they share, one with the examples of
//! their help.

mod checks;
mod evidence;
mod examples;
mod options;
mod soak;
mod workbench;

use clap::{Parser, Subcommand};

pub use self::{
    checks::{Ci, Drill, Kselftest, Mutants, Nested, Time, VmTest},
    evidence::{Bench, Calibrate, Races, Report},
    options::{AccelChoice, KernelOpts, LimitOpts, MachineOpts},
    soak::Soak,
    workbench::{Bindings, Clean, Doctor, Keep, Patches, Shell},
};

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
    #[command(after_long_help = examples::VM_TEST)]
    VmTest(VmTest),
    /// Fill the matrix of refresh disciplines × gc strategies with evidence that has to agree
    #[command(after_long_help = examples::RACES)]
    Races(Races),
    /// Write what was found out as a page, as text for a cover letter, and as JSON
    #[command(after_long_help = examples::REPORT)]
    Report(Report),
    /// Run everything at once for hours: nothing is lost, and memory stays what it was
    #[command(after_long_help = examples::SOAK)]
    Soak(Soak),
    /// Measure what each approach costs: operations, packets, whole rounds of GC
    #[command(after_long_help = examples::BENCH)]
    Bench(Bench),
    /// Measure what needs no patch on the kernel of this machine, in nanoseconds
    #[command(after_long_help = examples::CALIBRATE)]
    Calibrate(Calibrate),
    /// Test what datapaths include, and its collector, on this machine's kernel or on Debian's in a guest
    #[command(after_long_help = examples::KEEP)]
    Keep(Keep),
    /// Open a shell in the VM, with `cmpdel` and `selftests` on its PATH
    #[command(after_long_help = examples::SHELL)]
    Shell(Shell),
    /// Print what is there, what is missing, and how it will be installed
    #[command(after_long_help = examples::DOCTOR)]
    Doctor(Doctor),
    /// Run every check, the quick ones first; ends with `N passed, N failed, N skipped`
    #[command(after_long_help = examples::CI)]
    Ci(Ci),
    /// Check the series: applies, checkpatch, UAPI copies in step, subjects, cover letter
    #[command(after_long_help = examples::PATCHES)]
    Patches(Patches),
    /// Compare `uapi/src/bindings.rs` with what bindgen makes of the patched kernel's headers
    #[command(after_long_help = examples::BINDINGS)]
    Bindings(Bindings),
    /// Run vm-test on deliberately wrong kernels: each has to be caught
    #[command(after_long_help = examples::MUTANTS)]
    Mutants(Mutants),
    /// Run the kernel's own selftests with and without the series, and compare
    #[command(after_long_help = examples::KSELFTEST)]
    Kselftest(Kselftest),
    /// Panic, hang and lie in a booted kernel: each has to end in the right outcome
    #[command(after_long_help = examples::DRILL)]
    Drill(Drill),
    /// Hold CPUs with a lock in their hands, stop the guest, set its clocks: nobody hangs, nothing is lost
    #[command(after_long_help = examples::TIME)]
    Time(Time),
    /// List what the cache holds, or remove it
    #[command(after_long_help = examples::CLEAN)]
    Clean(Clean),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_and_takes_them() {
        for command in Cli::command().get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            let typed: Vec<&str> =
                help.lines().filter_map(|line| line.strip_prefix("  cargo xtask ")).collect();
            assert!(!typed.is_empty(), "{} has no examples", command.get_name());
            for line in typed {
                // Behind two spaces stands what it does.
                let (line, _) = line.split_once("  ").unwrap_or((line, ""));
                let words: Vec<String> = crate::documented::words(line);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                assert_eq!(words.first(), Some(&command.get_name()), "{line}");
                assert!(Cli::typed(&words).is_ok(), "`cargo xtask {line}` is not taken");
            }
        }
    }
}
