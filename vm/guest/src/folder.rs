// SPDX-License-Identifier: MIT OR Apache-2.0
//! The folder that a guest sees under the same path as the host, and the script in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ground::exec::quoted;

use crate::channel;

/// The script that runs in the guest: `command` under the result channel.
pub fn script(run: &Path, command: &str) -> String {
    let dir = quoted(&run.display().to_string());
    let (up, status) = (channel::UP, channel::STATUS);
    format!(
        "#!/bin/sh\n# Made for one run by cargo xtask.\ncd {dir} || exit 1\n: > {up}\n{command}\n\
         echo $? > {status}.new\nmv {status}.new {status}\nsync\n"
    )
}

/// Where the folder of a guest is.
pub fn run_folder(out: &Path, name: &str) -> PathBuf {
    out.join(format!("run-{name}"))
}

/// A fresh folder that the guest will see.
///
/// # Errors
/// When it cannot be made.
pub fn fresh_run_folder(out: &Path, name: &str) -> Result<PathBuf> {
    let run = run_folder(out, name);
    if run.exists() {
        fs::remove_dir_all(&run).with_context(|| format!("cannot empty {}", run.display()))?;
    }
    fs::create_dir_all(&run).with_context(|| format!("cannot make {}", run.display()))?;
    Ok(run)
}
