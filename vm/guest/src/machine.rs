// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is booted, on what, for how long, and how it ended: the words that all of this crate uses.

use std::{path::PathBuf, time::Duration};

use results::Accel;

/// How QEMU is asked to run the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// KVM where a guest really starts with it, TCG otherwise.
    Auto,
    /// KVM or nothing.
    Kvm,
    /// Emulation.
    Tcg,
}

/// The virtual machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// How it is run.
    pub accel: Accel,
    /// Virtual CPUs.
    pub cpus: u32,
    /// As QEMU takes it.
    pub memory: String,
}

/// What QEMU starts.
#[derive(Clone, Debug)]
pub struct Image {
    /// The kernel.
    pub kernel: PathBuf,
    /// A busybox without libraries, for a kernel that has its modules in `../lib/modules` and needs some of them to see its
    /// root.
    pub busybox: Option<PathBuf>,
    /// More words for the kernel's command line.
    pub append: &'static [&'static str],
}

/// When to stop waiting.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the script in the guest to begin.
    pub boot: Duration,
    /// Between two events of the program.
    pub silence: Duration,
}

impl Limits {
    /// `patience` times as long, for a kernel that is as much slower.
    #[must_use]
    pub fn times(self, patience: u32) -> Self {
        Self { boot: self.boot * patience, silence: self.silence * patience }
    }
}

/// How the guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// QEMU ended by itself.
    Exited,
    /// The kernel panicked.
    Panicked,
    /// The script did not begin in time.
    BootTimeout,
    /// The program was silent for too long.
    Silent,
    /// KVM cannot go on with it, and QEMU stands still.
    GaveUp,
}

/// What was seen of a guest, whatever it ran.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// The script began.
    pub up: bool,
    /// Exit status of the program.
    pub status: Option<i32>,
    /// Guest seconds are not known; these are the host's, to the script's first act.
    pub boot_seconds: f64,
}
