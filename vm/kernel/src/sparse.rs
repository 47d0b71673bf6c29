// SPDX-License-Identifier: MIT OR Apache-2.0
//! A sparse that a new kernel's build accepts: that of Debian's unstable suite, with the C library that it wants beside it
//! in the cache. Nothing of it is installed.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use ground::{
    apt::{self, Apt},
    context::Ctx,
    lock,
    tool::{Tool, program},
};

/// What is needed beyond a kernel, where the build accepts it.
pub const TOOLS: [Tool; 1] = [program("sparse", "sparse", "sparse")];

/// Where it is newest.
const SUITE: &str = "sid";
/// The program and its C library.
const PACKAGES: [&str; 2] = ["sparse", "libc6"];
/// Runs the one with the other.
const WRAPPER: &str = "run-sparse";

/// The program, fetched unless it is in the cache.
///
/// # Errors
/// No network with an empty cache, no such package.
pub fn fetched(ctx: &Ctx, offline: bool) -> Result<PathBuf> {
    let folder = ctx.cache.dir("sparse")?;
    let _lock = lock::take(ctx, "sparse", "fetching sparse")?;
    let wrapper = folder.join(SUITE).join(WRAPPER);
    if wrapper.exists() {
        return Ok(wrapper);
    }
    ensure!(!offline, "a newer sparse is not in the cache and --offline forbids to fetch it");
    let apt = Apt::open(ctx, SUITE)?;
    apt.update(ctx)?;
    let temp = ctx.cache.temp("sparse")?;
    for package in PACKAGES {
        let into = temp.path().join("debs").join(package);
        fs::create_dir_all(&into).context("cannot make room for a package")?;
        let version = apt.newest(ctx, package)?;
        let deb = apt.download(ctx, package, &version, &into)?;
        apt::unpack(ctx, &deb, temp.path())?;
    }
    let library = loader(temp.path())?;
    let script = format!(
        "#!/bin/sh\nhere=$(dirname \"$0\")\nlibrary=$here/{}\nexec \"$library\"/{} --library-path \"$library\" \
         \"$here/usr/bin/sparse\" \"$@\"\n",
        library.parent().unwrap_or(Path::new("")).display(),
        library.file_name().unwrap_or_default().display(),
    );
    let path = temp.path().join(WRAPPER);
    fs::write(&path, script).context("cannot write sparse's wrapper")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    fs::remove_dir_all(temp.path().join("debs"))?;
    temp.place(&folder.join(SUITE))?;
    Ok(wrapper)
}

/// The dynamic loader below `root`, relative to it.
fn loader(root: &Path) -> Result<PathBuf> {
    let libraries = root.join("usr/lib");
    let folders = fs::read_dir(&libraries).with_context(|| format!("cannot list {}", libraries.display()))?;
    for folder in folders.flatten().filter(|entry| entry.path().is_dir()) {
        for file in fs::read_dir(folder.path())?.flatten() {
            let name = file.file_name();
            if name.to_str().is_some_and(|name| name.starts_with("ld-linux")) {
                let path = file.path();
                return Ok(path.strip_prefix(root).unwrap_or(&path).to_owned());
            }
        }
    }
    bail!("the package libc6 has no dynamic loader below {}", libraries.display())
}
