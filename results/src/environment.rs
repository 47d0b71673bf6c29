// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where evidence comes from, as reports name it: a kernel, and how the guest was run.

use serde::{Deserialize, Serialize};

/// The kernel without a series, as evidence names it.
pub const BASE: &str = "base";

/// How the guest's instructions are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accel {
    /// By the CPU.
    Kvm,
    /// By emulation.
    Tcg,
}

/// A kernel as the report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelReport {
    /// `uname -r`.
    pub version: String,
    /// Where its source comes from.
    pub base: String,
    /// The series on it.
    pub series: String,
    /// Subjects of its patches, in order.
    pub patches: Vec<String>,
    /// SHA-256 of the final configuration.
    pub config_sha256: String,
    /// First line of `gcc --version`.
    pub compiler: String,
}
