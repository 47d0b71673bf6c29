// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boots a kernel for the bench, and makes rows of what it says.

use std::{fs, time::Instant};

use anyhow::{Context, Result, bail};
use evidence::bench::{Heard, profile};
use ground::{exec::quoted, hash::sha256};
use guest::{beside::Beside, channel::EVENTS, machine::Limits, splat};
use results::{
    Accel, Status, TestResult,
    bench::{Group, Origin, Record, Row, Skipped},
};

use crate::{
    built::Built,
    steps::{Bench, Guest},
};

/// What of the bench a kernel is booted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Single operations: what other kernels are compared by.
    Operations,
    /// All of it.
    Whole,
    /// Single operations, and the gc strategies that only this series has.
    Own,
}

/// What is asked for.
pub struct Benches<'a> {
    /// The machine.
    pub bench: &'a Bench<'a>,
    /// Only what contains this.
    pub filter: Option<String>,
    /// The operations, and a small job.
    pub quick: bool,
    /// When to stop waiting.
    pub limits: Limits,
}

/// What one guest gave.
#[derive(Debug, Default)]
pub struct Ran {
    /// Figures.
    pub record: Record,
    /// What went wrong, as tests.
    pub tests: Vec<TestResult>,
    /// Reports of the kernel.
    pub splats: Vec<String>,
    /// Why it failed; empty if it did not.
    pub reason: String,
}

impl Benches<'_> {
    /// Names the console log and the phase of a guest.
    pub fn console_name(built: &Built) -> String {
        format!("bench-{}", built.series)
    }

    /// QEMU's options: instructions are counted, and the kernel's locks take the path that they take on the metal
    /// (`facts`: with the hypervisor bit rqspinlock is a test-and-set lock).
    fn qemu(&self) -> Vec<String> {
        match self.bench.machine.accel {
            Accel::Tcg => {
                ["-icount", "shift=0,sleep=off", "-cpu", "max,-hypervisor"].map(str::to_owned).to_vec()
            }
            Accel::Kvm => Vec::new(),
        }
    }

    fn command(&self, part: Part, built: &Built) -> String {
        let mut words = vec!["./lab", "bench", "--events", EVENTS];
        if self.bench.machine.accel == Accel::Tcg {
            words.push("--icount");
        }
        words.extend(match part {
            Part::Operations => &["--operations"][..],
            Part::Whole => &[],
            Part::Own => &["--own"],
        });
        if self.quick {
            words.push("--quick");
        }
        let mut command = words.join(" ");
        command.push_str(&format!(" --kernel-series {}", quoted(&built.series)));
        if let Some(filter) = &self.filter {
            command.push_str(&format!(" --filter {}", quoted(filter)));
        }
        command
    }

    /// Boots `built` and measures. With `profiles`, single calls are stepped through afterwards.
    ///
    /// # Errors
    /// When the guest never came to its first step.
    pub fn run(&self, built: &Built, part: Part, profiles: bool) -> Result<Ran> {
        let name = Self::console_name(built);
        let run = self.bench.run_folder(&name)?;
        let mut command = self.command(part, built);
        let mut beside = Beside { qemu: self.qemu(), task: None };
        if profiles {
            command.push_str(" --profile");
            let debugger = profile::beside(&run);
            beside.qemu.extend(debugger.qemu);
            beside.task = debugger.task;
        }
        let mut heard = Heard::default();
        let started = Instant::now();
        let guest = Guest { name: &name, run: &run, command: &command, limits: self.limits, beside };
        let (ended, console) = self.bench.boot(built, guest, &mut heard)?;
        let course = heard.course(ended, self.limits.boot.as_secs(), self.limits.silence.as_secs());
        course.began(&console)?;
        if heard.planned() == Some(0) {
            bail!("nothing to measure: is --filter right?");
        }
        let mut reason = course.cut_short();
        let splats = match splat::scan(&console) {
            Ok(splats) => splats,
            Err(why) => {
                reason = if reason.is_empty() { why } else { reason };
                Vec::new()
            }
        };
        if reason.is_empty() && ended.status != Some(0) {
            reason = format!("the bench ended with {}", ended.status.unwrap_or(-1));
        }
        if reason.is_empty()
            && let Some(splat) = splats.first()
        {
            reason = format!("the kernel reported {splat}");
        }
        let mut tests: Vec<TestResult> = heard.failed.iter().map(|failed| failure(failed, built)).collect();
        if !reason.is_empty() {
            let name = format!("bench::{}", built.series);
            tests.push(TestResult { name, status: Status::Error, ms: 0, detail: reason.clone() });
        } else if let Some(first) = tests.first() {
            reason = format!("{}: {}", first.name, first.detail);
        }
        let mut record = self.record(built, &heard)?;
        if profiles {
            record.profiles = profile::read(&run, &built.series)?;
        }
        record.seconds = started.elapsed().as_secs_f64();
        Ok(Ran { record, tests, splats, reason })
    }

    fn record(&self, built: &Built, heard: &Heard) -> Result<Record> {
        let image = built.kernel.image();
        let bytes = fs::read(&image).with_context(|| format!("cannot read {}", image.display()))?;
        let manifest = &built.kernel.manifest;
        let origin = Origin {
            kernel: built.series.clone(),
            accel: match self.bench.machine.accel {
                Accel::Tcg => "tcg".into(),
                Accel::Kvm => "kvm".into(),
            },
            config_sha256: manifest.config_sha256.clone(),
            compiler: manifest.compiler.clone(),
            image_sha256: sha256(&bytes),
        };
        let rows =
            heard.measures.iter().map(|measure| Row { measure: measure.clone(), origin: origin.clone() });
        let skipped = heard.skipped.iter().map(|(group, what, reason)| Skipped {
            group: *group,
            what: what.clone(),
            kernel: built.series.clone(),
            reason: reason.clone(),
        });
        Ok(Record {
            image_sha256: origin.image_sha256.clone(),
            rows: rows.collect(),
            skipped: skipped.collect(),
            ..Record::default()
        })
    }
}

fn failure((what, error, broken): &(String, String, bool), built: &Built) -> TestResult {
    let status = if *broken { Status::Fail } else { Status::Error };
    TestResult { name: format!("bench::{}: {what}", built.series), status, ms: 0, detail: error.clone() }
}

/// What is not measured where instructions are counted.
pub fn no_contention(kernel: &str) -> Skipped {
    Skipped {
        group: Group::Contention,
        what: "packets and GC on different CPUs".into(),
        kernel: kernel.into(),
        reason: "instructions are counted with one CPU, on which nothing contends; it takes KVM, or `cargo xtask calibrate` \
                 on the metal"
            .into(),
    }
}
