// SPDX-License-Identifier: MIT OR Apache-2.0
//! A built kernel, with what it was made from and how it is booted.

use guest::machine::Image;
use kernel::{finished::Kernel, patched::Patched};

/// A built kernel, and what it was made from.
#[derive(Clone, Debug)]
pub struct Built {
    /// The kernel.
    pub kernel: Kernel,
    /// The base with its series.
    pub patched: Patched,
    /// The name of the series.
    pub series: String,
    /// What its profile has on the kernel's command line.
    pub append: &'static [&'static str],
}

impl Built {
    /// What to boot.
    pub fn image(&self) -> Image {
        Image { kernel: self.kernel.image(), busybox: None, append: self.append }
    }
}
