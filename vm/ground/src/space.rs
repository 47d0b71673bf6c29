// SPDX-License-Identifier: MIT OR Apache-2.0
//! Room on the disk, asked for before it is needed.

use std::path::Path;

use anyhow::{Context, Result, ensure};

const MIB: u64 = 1024 * 1024;

/// Free MiB for us where `path` is.
///
/// # Errors
/// When the file system cannot be asked.
pub fn free_mib(path: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(path)
        .with_context(|| format!("cannot ask for the space at {}", path.display()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize) / MIB)
}

/// Errs unless `mib` MiB are free where `path` is. `XTASK_NO_SPACE_CHECK` skips this, for tests of what happens then.
///
/// # Errors
/// Both figures and the mend.
pub fn need(path: &Path, mib: u64, what: &str) -> Result<()> {
    if std::env::var_os("XTASK_NO_SPACE_CHECK").is_some() {
        return Ok(());
    }
    let free = free_mib(path)?;
    ensure!(
        free >= mib,
        "not enough space {what}: {} has {free} MiB free, {mib} MiB are needed; make room (`cargo xtask clean` lists \
         what the cache holds) or set XDG_CACHE_HOME to another disk",
        path.display()
    );
    Ok(())
}

/// Whether what a command said tells of a full disk.
pub fn says_full(text: &str) -> bool {
    text.contains("No space left on device") || text.contains("Disk quota exceeded")
}
