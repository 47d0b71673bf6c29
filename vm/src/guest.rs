// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs that run in the guest: built here, copied to where the guest sees them.

use std::{env, fs, path::Path, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{context::Ctx, exec};

/// Packages whose programs the guest needs; each has one of its own name.
pub const PROGRAMS: [&str; 3] = ["selftests", "cmpdel", "lab"];

/// Builds `packages` against the kernel headers in `include` and gives the folder of their programs. `XTASK_GUEST_BIN_DIR` names ready ones.
///
/// # Errors
/// When they do not build.
pub fn build(ctx: &Ctx, include: &Path, packages: &[&str]) -> Result<(PathBuf, bool)> {
    if let Some(dir) = env::var_os("XTASK_GUEST_BIN_DIR") {
        return Ok((PathBuf::from(dir), true));
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").current_dir(&ctx.root);
    packages.iter().for_each(|package| {
        cargo.args(["--package", package]);
    });
    cargo.env("KERNEL_HEADERS", include).env("CARGO_TERM_COLOR", "never");
    // Set by the cargo that runs this program, and not meant for another package.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME"] {
        cargo.env_remove(name);
    }
    let mut fresh = true;
    exec::stream(ctx, &cargo, "cargo-build", |line| fresh &= !line.trim_start().starts_with("Compiling"))
        .context("the tests do not build")?;
    Ok((ctx.target.join("debug"), fresh))
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
