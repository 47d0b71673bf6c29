// SPDX-License-Identifier: MIT OR Apache-2.0
//! A busybox without libraries: virtme-ng loads a kernel's modules with it before there is a root file system. It is not
//! installed, since its package would have to push out the ordinary busybox that many machines have.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ground::{
    apt::{self, Apt},
    context::Ctx,
    lock,
};

use super::layout::PART;

/// A released suite: it has one for years.
const SUITE: &str = "trixie";
const PACKAGE: &str = "busybox-static";
/// Where packages have it.
const PLACES: [&str; 2] = ["usr/bin/busybox", "bin/busybox"];

/// Where it is below the folder of stock kernels, there or not.
pub fn place(folder: &Path) -> PathBuf {
    folder.join(PACKAGE).join("busybox")
}

/// Fetches it unless it is there.
///
/// # Errors
/// No network, no such package.
pub fn fetch(ctx: &Ctx, folder: &Path) -> Result<()> {
    let target = place(folder);
    // Several lines may be fetched at a time.
    let _lock = lock::take(ctx, PACKAGE, "fetching busybox")?;
    if target.exists() {
        return Ok(());
    }
    let apt = Apt::open(ctx, SUITE)?;
    apt.update(ctx)?;
    let version = apt.newest(ctx, PACKAGE)?;
    let temp = ctx.cache.temp(PART)?;
    let deb = apt.download(ctx, PACKAGE, &version, temp.path())?;
    let unpacked = temp.path().join("unpacked");
    apt::unpack(ctx, &deb, &unpacked)?;
    let program = PLACES.iter().map(|place| unpacked.join(place)).find(|path| path.exists());
    let program =
        program.with_context(|| format!("{PACKAGE} {version} has no {}", PLACES.join(" and no ")))?;
    let kept = ctx.cache.temp(PART)?;
    fs::rename(&program, kept.path().join("busybox")).context("cannot keep busybox")?;
    kept.place(target.parent().unwrap_or(folder))
}
