// SPDX-License-Identifier: MIT OR Apache-2.0
//! `report.json`: what was run, on what, and what came of it. Every outcome writes one.

use std::path::PathBuf;

use anyhow::Result;
use ground::{
    cache::write_whole,
    context::{Ctx, Phase},
    exec,
    outcome::{Count, Outcome},
};
use results::{Accel, KernelReport, TestResult};
use serde::Serialize;
use xshell::cmd;

/// Where a test ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In a guest, on the kernel with the series.
    Series,
    /// In a guest, on the base.
    Base,
    /// Here.
    Host,
}

/// Put before the names of tests on the base.
pub const BASE_PREFIX: &str = "base::";

impl Place {
    /// Which kernel that is, in a word.
    pub fn kernel(self) -> &'static str {
        if self == Self::Base { "base" } else { "series" }
    }

    /// Put before the names of its tests.
    pub fn prefix(self) -> &'static str {
        if self == Self::Base { BASE_PREFIX } else { "" }
    }
}

/// A test and where it ran.
#[derive(Clone, Debug, Serialize)]
pub struct Test {
    /// Where.
    pub kernel: Place,
    /// What came of it.
    #[serde(flatten)]
    pub result: TestResult,
}

/// The report of one run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The kernel with the series, once it is known.
    pub kernel: Option<KernelReport>,
    /// The base, with `--with-base`.
    pub base_kernel: Option<KernelReport>,
    /// Kernels of cells whose gc strategy takes another series.
    pub other_kernels: Vec<KernelReport>,
    /// How the guest was run.
    pub accel: Option<Accel>,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// CPUs of the host.
    pub host_cpus: usize,
    /// The configuration.
    pub profile: String,
    /// When it began, in UTC.
    pub date: String,
    /// What reproduces it.
    pub command: String,
    /// Wall time of each step.
    pub phases: Vec<Phase>,
    /// All tests.
    pub tests: Vec<Test>,
    /// What the kernels reported, each with the kernel's name before it.
    pub splats: Vec<String>,
    /// Which of the three outcomes.
    pub verdict: Outcome,
    /// Why, in one sentence.
    pub reason: String,
    /// The console logs.
    pub consoles: Vec<PathBuf>,
}

impl Report {
    /// An empty report that ends in `CouldNotRun` unless something better is known.
    pub fn new(ctx: &Ctx, vcpus: u32, profile: &str) -> Self {
        let sh = &ctx.sh;
        let arguments: Vec<String> =
            std::env::args_os().skip(1).map(|word| exec::quoted(&word.to_string_lossy())).collect();
        Self {
            kernel: None,
            base_kernel: None,
            other_kernels: Vec::new(),
            accel: None,
            vcpus,
            host_cpus: std::thread::available_parallelism().map_or(1, usize::from),
            profile: profile.into(),
            date: cmd!(sh, "date -u +%Y-%m-%dT%H:%M:%SZ").quiet().read().unwrap_or_default(),
            command: format!("cargo xtask {}", arguments.join(" ")),
            phases: Vec::new(),
            tests: Vec::new(),
            splats: Vec::new(),
            verdict: Outcome::CouldNotRun,
            reason: String::new(),
            consoles: Vec::new(),
        }
    }

    /// How the tests ended, in numbers.
    pub fn count(&self) -> Count {
        let mut count = Count::default();
        self.tests.iter().for_each(|test| count.add(test.result.status));
        count
    }

    /// Where it is written.
    pub fn path(ctx: &Ctx) -> PathBuf {
        ctx.out.join("report.json")
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, ctx: &Ctx) -> Result<()> {
        self.phases = ctx.phases.borrow().clone();
        write_whole(&Self::path(ctx), &results::rows::lines(self)?)
    }
}
