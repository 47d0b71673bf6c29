// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was booted when events were kept: `races.kernel.json` beside `races.jsonl`. Events themselves name no kernel.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use results::{Accel, KernelReport};
use serde::Deserialize;

use crate::run_report::Report;

/// What a record says of it.
#[derive(Debug, Default, Deserialize)]
pub struct Booted {
    kernel: Option<KernelReport>,
    accel: Option<Accel>,
    vcpus: Option<u32>,
    profile: Option<String>,
}

/// Reads the file beside `events`; nothing is known where there is none.
///
/// # Errors
/// When it is there and cannot be read.
pub fn beside(events: &Path) -> Result<Booted> {
    let path = events.with_extension("kernel.json");
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .with_context(|| format!("{} does not say which kernel was booted", path.display())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Booted::default()),
        Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
}

impl Booted {
    /// Tells it in the report of who judges the events again.
    pub fn tell(self, report: &mut Report) {
        report.kernel = self.kernel;
        report.accel = self.accel;
        report.vcpus = self.vcpus.unwrap_or(report.vcpus);
        report.profile = self.profile.unwrap_or_default();
    }
}
