// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where this repository is, and the names of its folders elsewhere.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use ground::context::Project;

/// What all steps are run for.
///
/// # Errors
/// When this is run outside of the repository.
pub fn project() -> Result<Project> {
    Ok(Project { root: root()?, cache: "bpf-compare-delete", out: "vm-test" })
}

/// `XTASK_ROOT` for tests, what cargo says, or where this was built.
fn root() -> Result<PathBuf> {
    if let Some(root) = env::var_os("XTASK_ROOT") {
        return Ok(PathBuf::from(root));
    }
    let manifest =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = manifest.parent().map(Path::to_path_buf).unwrap_or_default();
    if !root.join("kernel-patches").is_dir() {
        bail!("{} is not the repository: run `cargo xtask` inside it", root.display());
    }
    Ok(root)
}
