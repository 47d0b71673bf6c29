// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of what tests: a kernel, the tests themselves, everything.

use clap::{Args, ValueEnum};
use kernel::kselftest::foreign::target::{self, Target};
use kernel::series::DEFAULT;

use super::{KernelOpts, LimitOpts, MachineOpts};

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
    /// Test the kernel without the series as well: Debian's own of that version, or one that is built with the same config
    #[arg(long)]
    pub with_base: bool,
    /// Run only the tests whose name contains this, and no races
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// How many malformed calls of each command are sent; without it, as many as take seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub calls: Option<u64>,
    /// Which calls these are: call N of seed S is the first one of seed S + N
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
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
    /// Run the tests of the series alone, on its kernel for this architecture, on an emulated machine
    #[arg(long, value_name = "ARCH", value_enum, conflicts_with_all = ["quick", "accel", "profile"])]
    pub arch: Option<Arch>,
    /// Only the tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Print kselftest.json on standard output, everything else on standard error
    #[arg(long)]
    pub json: bool,
}

/// An architecture that is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    /// 64-bit Arm: another JIT, other code for atomics and for memory of user space
    Arm64,
    /// IBM Z: the highest byte of a number comes first, and its JIT extends arguments
    S390x,
}

impl Arch {
    /// All of it.
    pub fn target(self) -> &'static Target {
        match self {
            Self::Arm64 => target::Arch::Arm64.target(),
            Self::S390x => target::Arch::S390x.target(),
        }
    }
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
    /// Only the mutants whose file name contains this; may be given again for more
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,
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
    /// Instead, run vm-test, races and bench, or those named, with KVM, in an emulated machine that has it: for hours
    #[arg(
        long,
        value_name = "COMMANDS",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        value_delimiter = ',',
        default_missing_value = "vm-test,races,bench",
        conflicts_with_all = ["series", "accel", "cpus", "memory"]
    )]
    pub kvm: Vec<Nested>,
}

/// What `drill --kvm` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Nested {
    /// The promises
    VmTest,
    /// The quick races
    Races,
    /// The quick bench
    Bench,
}

/// Options of `time`.
#[derive(Clone, Debug, Args)]
pub struct Time {
    #[command(flatten)]
    /// The kernel.
    pub kernel: KernelOpts,
    #[command(flatten)]
    /// The machine.
    pub machine: MachineOpts,
    /// Folder of kernel-patches/ whose kernel is booted
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub series: String,
    /// Hold each CPU for so long, well below the 20 s after which the kernel reports a lockup [default: 6000, with --quick 1500]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(600..=15_000))]
    pub hold: Option<u64>,
    /// Only the scenes whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Fewer scenes, and shorter holds
    #[arg(long)]
    pub quick: bool,
    #[command(flatten)]
    /// When the guest is given up.
    pub limits: LimitOpts,
    /// Print time.json on standard output, everything else on standard error
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
