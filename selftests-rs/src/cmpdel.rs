// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs of the command, and the exit codes of its contract.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;

use anyhow::{Context as _, Result};

use crate::Context;

/// The exit codes of the contract.
pub const DELETED: i32 = 0;
pub const KEPT: i32 = 1;
pub const USAGE: i32 = 2;
pub const NO_SUCH_KEY: i32 = 3;
pub const UNSUPPORTED: i32 = 4;
pub const NOT_PERMITTED: i32 = 5;
pub const ANYTHING_ELSE: i32 = 6;

/// A run of the command.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn new(context: &Context, arguments: &[impl AsRef<str>]) -> Result<Self> {
        Self::of(command(context, arguments)?).context("cannot run the command")
    }

    pub fn of(mut command: Command) -> std::io::Result<Self> {
        let output = command.output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_string();
        Ok(Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
    }

    pub fn said(&self) -> String {
        format!("{} {}", self.stdout, self.stderr).trim().replace('\n', " / ")
    }
}

/// It, with arguments, for a run that is special.
pub fn command(context: &Context, arguments: &[impl AsRef<str>]) -> Result<Command> {
    let mut command = Command::new(local_copy(&context.cmpdel)?);
    command.args(arguments.iter().map(AsRef::as_ref));
    Ok(command)
}

/// The command in the guest's own memory: over 9p, each of the many runs would read the whole file again.
fn local_copy(original: &Path) -> Result<&'static Path> {
    static COPY: OnceLock<PathBuf> = OnceLock::new();
    if let Some(copy) = COPY.get() {
        return Ok(copy);
    }
    let copy = std::env::temp_dir().join(format!("cmpdel_{}", process::id()));
    fs::copy(original, &copy).with_context(|| format!("cannot copy {}", original.display()))?;
    Ok(COPY.get_or_init(|| copy))
}
