// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of what one works with: patches, bindings, a shell, the cache.

use clap::{Args, builder::PossibleValuesParser};
use kernel::{series::DEFAULT, stock};

use super::{KernelOpts, MachineOpts};

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

/// Options of `keep`.
#[derive(Clone, Debug, Args)]
pub struct Keep {
    #[command(flatten)]
    /// The kernel whose headers the tests are compiled with.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Run them on Debian's own kernel of this line, in a guest
    #[arg(long, value_name = "LINE", value_parser = PossibleValuesParser::new(stock::lines()))]
    pub stock: Option<String>,
    /// Only the tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Call the boot failed after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub boot_timeout: u64,
    /// Give the guest up after this many seconds of tests
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    pub test_timeout: u64,
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
