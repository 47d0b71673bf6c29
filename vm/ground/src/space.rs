// SPDX-License-Identifier: MIT OR Apache-2.0
//! Room on the disk, asked for before it is needed.

use std::{fs, path::Path};

use anyhow::{Context, Error, Result, anyhow, ensure};

use crate::exec::CommandFailed;

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

/// What to say where a command that wrote to `path` failed because the disk is full; nothing if it failed for another reason.
pub fn filled(failed: &CommandFailed, path: &Path) -> Option<Error> {
    let said = failed.log.as_ref().and_then(|log| fs::read_to_string(log).ok()).unwrap_or_default();
    let full = says_full(&said) || failed.last.iter().any(|line| says_full(line));
    full.then(|| {
        anyhow!(
            "the disk is full: {} has {} MiB free after `{}` failed; make room (`cargo xtask clean` lists what the cache \
             holds) and run again",
            path.display(),
            free_mib(path).unwrap_or_default(),
            failed.line
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let failed = |said: &str| CommandFailed {
            line: "cargo test".into(),
            status: "exit status: 101".into(),
            last: vec![said.into()],
            log: None,
        };
        let full = failed("error: failed to write to `full.rmeta`: No space left on device (os error 28)");
        let said = filled(&full, Path::new(".")).map(|e| e.to_string()).unwrap_or_default();
        assert!(
            said.starts_with("the disk is full: . has ") && said.contains("`cargo test` failed"),
            "{said}"
        );
        assert!(filled(&failed("error[E0433]: cannot find `no_space`"), Path::new(".")).is_none());
    }
}
