// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where figures come from: kernels, machine, date, command. Everything shown carries it.

use results::{Accel, KernelReport};
use serde::{Deserialize, Serialize};

/// Of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// The kernel with the series.
    pub kernel: Option<KernelReport>,
    /// The same without it.
    pub base_kernel: Option<KernelReport>,
    /// Others that were booted.
    pub other_kernels: Vec<KernelReport>,
    /// `uname -r` of the host, where no other kernel was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// How the guest was run.
    pub accel: Option<Accel>,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// CPUs of the host.
    pub host_cpus: usize,
    /// The configuration, by name.
    pub profile: String,
    /// When it began, in UTC.
    pub date: String,
    /// What reproduces it.
    pub command: String,
    /// How it ended: `passed`, `failed`, `could_not_run`.
    pub verdict: String,
    /// Why.
    pub reason: String,
}

impl Environment {
    /// What it comes to, in names and values.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if let Some(kernel) = &self.kernel {
            facts.push(("kernel", kernel.version.clone()));
            facts.push(("series", format!("{} ({} patches)", kernel.series, kernel.patches.len())));
            facts.push(("base", kernel.base.clone()));
        } else {
            facts.push(("kernel", self.release.clone().unwrap_or_else(|| "none".into())));
        }
        let accel = match (self.accel, &self.release) {
            (Some(Accel::Kvm), _) => "kvm",
            (Some(Accel::Tcg), _) => "tcg",
            (None, Some(_)) => "native",
            (None, None) => "none",
        };
        facts.push(("accel", accel.into()));
        if self.vcpus > 0 {
            facts.push(("vCPUs", self.vcpus.to_string()));
        }
        facts.push(("host CPUs", self.host_cpus.to_string()));
        facts.push(("date", self.date.clone()));
        facts.push(("command", self.command.clone()));
        facts
    }
}

/// A machine whose own kernel was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// `uname -r`.
    pub release: String,
    /// CPUs online.
    pub cpus: usize,
    /// What it runs under, if anything: `kvm`, `qemu`, …
    pub hypervisor: Option<String>,
    /// The model of its CPUs.
    pub model: String,
}

impl Machine {
    /// In one line.
    pub fn words(&self) -> String {
        let under = match self.hypervisor.as_deref() {
            None | Some("" | "none") => String::new(),
            Some(name) => format!(", under a hypervisor ({name})"),
        };
        let model = if self.model.is_empty() { String::new() } else { format!(" ({})", self.model) };
        format!("{}, {} CPUs{model}{under}", self.release, self.cpus)
    }
}
