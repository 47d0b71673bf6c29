// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the report is made of: files that other commands have written. One that is not there is no error: the page says
//! which command makes it.

use evidence::races::Row;
use results::{Accel, KernelReport, bench::Record};
use serde::{Deserialize, Serialize};

/// Where figures come from. Everything shown carries it.
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

/// `matrix.json`; `here.json` and `stock-*.json` have the same form.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RacesFile {
    /// Where it comes from.
    #[serde(flatten)]
    pub environment: Environment,
    /// The machine, where no other kernel than its own was asked.
    #[serde(default)]
    pub machine: Option<Machine>,
    /// The cells.
    pub cells: Vec<Row>,
    /// A sentence for each refresh discipline.
    #[serde(default)]
    pub verdicts: Vec<String>,
}

/// One of the files.
#[derive(Clone, Debug)]
pub enum Input<T> {
    /// It is there.
    Read(T),
    /// It is not, and this command makes it.
    NotRun(&'static str),
}

impl<T> Input<T> {
    /// What is there.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::NotRun(_) => None,
        }
    }
}

/// `bench.json` and `calibrate.json`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BenchFile {
    /// Where it comes from.
    #[serde(flatten)]
    pub environment: Environment,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
}

/// `report.json` of vm-test, and whatever else holds tests.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TestsFile {
    /// Where it comes from.
    #[serde(flatten)]
    pub environment: Environment,
    /// The tests.
    #[serde(default)]
    pub tests: Vec<Test>,
    /// What the kernels reported.
    #[serde(default)]
    pub splats: Vec<String>,
}

/// A test's outcome.
#[derive(Clone, Debug, Deserialize)]
pub struct Test {
    /// By name.
    pub status: String,
}

/// What there is to report of.
pub struct Inputs {
    /// `matrix.json`.
    pub races: Input<RacesFile>,
    /// `here.json`: the host's own kernel.
    pub here: Input<RacesFile>,
    /// `stock-*.json`: kernels as distributions ship them.
    pub stock: Vec<RacesFile>,
    /// `matrix-rt.json`: a kernel with the series that preempts packets.
    pub rt: Input<RacesFile>,
    /// `bench.json`.
    pub bench: Input<BenchFile>,
    /// `calibrate.json`.
    pub calibrate: Input<BenchFile>,
    /// vm-test's `report.json`.
    pub vm_test: Input<TestsFile>,
    /// The kernel's own selftests.
    pub kselftest: Input<TestsFile>,
}
