// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a report says of a kernel that was not built here.

use std::fs;

use anyhow::{Context, Result};
use ground::hash::sha256;
use results::KernelReport;

use super::Stock;
use crate::series::NONE;

impl Stock {
    /// Version, package, configuration and compiler.
    ///
    /// # Errors
    /// When its configuration cannot be read.
    pub fn report(&self) -> Result<KernelReport> {
        let config = self.config();
        let text = fs::read(&config).with_context(|| format!("cannot read {}", config.display()))?;
        let text_of = String::from_utf8_lossy(&text);
        let compiler = text_of.lines().find_map(|line| line.strip_prefix("CONFIG_CC_VERSION_TEXT="));
        Ok(KernelReport {
            version: self.release.clone(),
            base: self.name(),
            series: NONE.into(),
            patches: Vec::new(),
            config_sha256: sha256(&text),
            compiler: compiler.unwrap_or_default().trim_matches('"').to_owned(),
        })
    }
}
