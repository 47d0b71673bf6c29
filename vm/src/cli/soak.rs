// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of `soak`.

use clap::{ArgGroup, Args};
use kernel::series::DEFAULT;

use super::{KernelOpts, LimitOpts, MachineOpts};

/// Options of `soak`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("length").args(["hours", "minutes", "quick"]))]
pub struct Soak {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// For so many hours [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub hours: Option<u64>,
    /// For so many minutes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub minutes: Option<u64>,
    /// For 75 seconds
    #[arg(long)]
    pub quick: bool,
    /// On this machine's own kernel, as root
    #[arg(long, conflicts_with_all = ["series", "mutant", "accel", "cpus", "memory"])]
    pub here: bool,
    /// Folder of kernel-patches/ to apply, or `base` for none
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
    /// Instead, see that it notices this deliberately wrong kernel, which leaks memory
    #[arg(long, value_name = "NAME")]
    pub mutant: Option<String>,
    /// Only those at work whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    #[command(flatten)]
    /// When a guest is given up.
    pub limits: LimitOpts,
    /// Print the record on standard output, everything else on standard error
    #[arg(long)]
    pub json: bool,
}

impl Soak {
    /// For how many seconds.
    pub fn seconds(&self) -> u64 {
        const QUICK: u64 = 75;
        match (self.quick, self.minutes) {
            (true, _) => QUICK,
            (false, Some(minutes)) => 60 * minutes,
            (false, None) => 3600 * self.hours.unwrap_or(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};

    fn seconds(line: &str) -> Option<u64> {
        let words: Vec<&str> = std::iter::once("soak").chain(line.split_whitespace()).collect();
        match Cli::typed(&words).ok()?.command {
            Command::Soak(opts) => Some(opts.seconds()),
            _ => None,
        }
    }

    #[test]
    fn one_length_is_given_or_it_takes_an_hour() {
        assert_eq!(seconds(""), Some(3600));
        assert_eq!(seconds("--here --minutes 10"), Some(600));
        assert_eq!(seconds("--hours 8 --series rfc"), Some(8 * 3600));
        assert_eq!(seconds("--quick --mutant element-leak"), Some(75));
        for line in ["--quick --hours 1", "--here --series rfc", "--here --mutant x", "--minutes 0"] {
            assert_eq!(seconds(line), None, "{line}");
        }
    }
}
