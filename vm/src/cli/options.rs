// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options that several commands share: which kernel, on what machine.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, builder::PossibleValuesParser};
use guest::machine::{Choice, Limits};
use kernel::{base, profile};

use crate::cpus::host_cpus;

/// Which kernel, and how to make it.
#[derive(Clone, Debug, Args)]
pub struct KernelOpts {
    /// Kernel tree of your own, never modified [default: Debian's linux-source package]
    #[arg(long, value_name = "DIR")]
    pub kernel_src: Option<PathBuf>,
    /// Line of kernels whose newest source Debian's archive is asked for
    #[arg(long, value_name = "LINE", default_value = base::DEFAULT, conflicts_with = "kernel_src",
          value_parser = PossibleValuesParser::new(base::lines()))]
    pub base: String,
    /// How the kernel is configured. `debug` and `kcsan` find more faults and are several times slower; `hardened` protects
    /// itself as a distribution's does; `fault` fails allocations and copies on demand; `rt` preempts everywhere; `bare` is the
    /// least that builds
    #[arg(long, value_name = "NAME", default_value = profile::LEAN,
          value_parser = PossibleValuesParser::new(profile::names()))]
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
    /// Give up after this many seconds [default: never; a guest has limits of its own]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
}

impl KernelOpts {
    /// The time limit of the run: none unless asked for, since an honest build takes what the machine gives it.
    pub fn limit(&self) -> Duration {
        self.timeout.map_or(Duration::MAX, Duration::from_secs)
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

impl From<AccelChoice> for Choice {
    fn from(choice: AccelChoice) -> Self {
        match choice {
            AccelChoice::Auto => Self::Auto,
            AccelChoice::Kvm => Self::Kvm,
            AccelChoice::Tcg => Self::Tcg,
        }
    }
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

impl MachineOpts {
    /// Virtual CPUs unless told: races need two, and emulation gains nothing from more than four.
    pub fn vcpus(&self) -> u32 {
        self.cpus.unwrap_or_else(|| host_cpus().clamp(2, 4))
    }
}

/// When a guest in which the lab takes its steps is given up.
#[derive(Clone, Copy, Debug, Args)]
pub struct LimitOpts {
    /// Call a step hung after this many seconds without an event
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub test_timeout: u64,
    /// Call the boot failed after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub boot_timeout: u64,
}

impl LimitOpts {
    /// As whoever boots a guest takes them.
    pub fn limits(self) -> Limits {
        Limits {
            boot: Duration::from_secs(self.boot_timeout),
            silence: Duration::from_secs(self.test_timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};

    /// A first build on a slow day took longer than any limit that seemed enough.
    #[test]
    fn a_run_has_no_limit_but_that_which_is_asked_for() {
        let limit = |arguments: &[&str]| match Cli::typed(arguments).unwrap().command {
            Command::VmTest(opts) => opts.kernel.limit(),
            _ => Duration::ZERO,
        };
        assert_eq!(limit(&["vm-test", "--with-base"]), Duration::MAX);
        assert_eq!(limit(&["vm-test", "--timeout", "7"]), Duration::from_secs(7));
    }
}
