// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs that run in the guest: built here, copied to where the guest sees them.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{context::Ctx, exec};

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
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--message-format", "json-render-diagnostics"]).current_dir(&ctx.root);
    packages.iter().for_each(|package| {
        cargo.args(["--package", package]);
    });
    cargo.env("KERNEL_HEADERS", include).env("CARGO_TERM_COLOR", "never");
    // It says where this program's own package is, to this program; another package would be built anew for it.
    cargo.env_remove("CARGO_MANIFEST_DIR");
    let (mut fresh, mut folders) = (true, BTreeSet::new());
    exec::stream(ctx, &cargo, "cargo-build", |line| {
        fresh &= !line.trim_start().starts_with("Compiling");
        folders.extend(folder_in(line, packages));
    })
    .context("the tests do not build")?;
    let folder =
        folders.pop_first().context("cargo has not said where it has put the programs of the tests")?;
    ensure!(folders.is_empty(), "cargo has put the programs of the tests into several folders");
    Ok((folder, fresh))
}

/// The folder that a message of cargo's tells of, if it is that of one of these programs.
fn folder_in(line: &str, names: &[&str]) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let name = message["target"]["name"].as_str()?;
    let program = PathBuf::from(message["executable"].as_str()?);
    names.contains(&name).then(|| program.parent().map(Path::to_path_buf)).flatten()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_asked_where_the_programs_are() {
        let folder = |line| folder_in(line, &["lab"]);
        let line = r#"{"reason":"compiler-artifact","target":{"name":"lab"},"executable":"/elsewhere/x86_64/debug/lab"}"#;
        assert_eq!(folder(line), Some("/elsewhere/x86_64/debug".into()));
        for other in [
            r#"{"target":{"name":"lab"},"executable":null}"#,
            r#"{"target":{"name":"x"},"executable":"/x"}"#,
            "   Compiling lab",
        ] {
            assert_eq!(folder(other), None, "{other}");
        }
    }
}
