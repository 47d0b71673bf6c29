// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs that run in the guest: built here, copied to where the guest sees them.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use ground::{context::Ctx, exec};

use crate::cargo;

/// Packages whose programs the guest needs; each has one of its own name.
pub const PROGRAMS: [&str; 3] = ["selftests", "cmpdel", "lab"];

/// Builds `packages` against the kernel headers in `include` and gives the folder where cargo says that it has put their programs.
/// `XTASK_GUEST_BIN_DIR` names ready ones.
///
/// # Errors
/// When they do not build, or lie in several folders.
pub fn build(ctx: &Ctx, include: &Path, packages: &[&str]) -> Result<(PathBuf, bool)> {
    if let Some(dir) = env::var_os("XTASK_GUEST_BIN_DIR") {
        return Ok((PathBuf::from(dir), true));
    }
    let mut cargo =
        cargo::command(ctx, &["build", "--message-format", "json-render-diagnostics"], Some(include));
    packages.iter().for_each(|package| {
        cargo.args(["--package", package]);
    });
    let (mut fresh, mut folders) = (true, BTreeSet::new());
    exec::stream(ctx, &cargo, "cargo-build", |line| {
        fresh &= !line.trim_start().starts_with("Compiling");
        let built = cargo::built(line).filter(|built| packages.contains(&built.name.as_str()));
        folders.extend(built.and_then(|built| Some(built.program.parent()?.to_path_buf())));
    })
    .context("the tests do not build")?;
    let folder =
        folders.pop_first().context("cargo has not said where it has put the programs of the tests")?;
    ensure!(folders.is_empty(), "cargo has put the programs of the tests into several folders");
    Ok((folder, fresh))
}

/// Copies the programs into `run`.
///
/// # Errors
/// When one is missing.
pub fn copy(programs: &Path, run: &Path) -> Result<()> {
    for name in PROGRAMS {
        let from = programs.join(name);
        fs::copy(&from, run.join(name))
            .with_context(|| format!("cannot copy {} for the guest", from.display()))?;
    }
    Ok(())
}
