// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the report is made of: files that other commands have written. One that is not there is no error: the page says
//! which command makes it.

use evidence::races::Row;
use results::bench::Record;
use serde::Deserialize;

use super::environment::{Environment, Machine};

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
