// SPDX-License-Identifier: MIT OR Apache-2.0
//! Folders that others have to take: make, shells and virtual machines read some characters of a path as something else.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

/// Errs unless make and shells read the path of the cache, `dir`, as it is.
///
/// # Errors
/// What is in it, and the mend.
pub fn for_builds(dir: &Path) -> Result<()> {
    let plain = |c: char| c.is_alphanumeric() || "-_./+@~".contains(c);
    taken(dir, plain, "make does not take a cache", "XDG_CACHE_HOME")
}

/// Errs unless virtme-ng takes `dir` for a guest to write to. It takes ASCII alone.
///
/// # Errors
/// What is in its path, and the mend.
pub fn for_guests(dir: &Path) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+".contains(c);
    taken(dir, plain, "virtme-ng does not take a folder", "CARGO_TARGET_DIR")
}

fn taken(dir: &Path, plain: impl Fn(char) -> bool, refused: &str, variable: &str) -> Result<()> {
    let odd = match dir.to_str() {
        None => "bytes that are no UTF-8".to_owned(),
        Some(path) => match path.chars().find(|c| !plain(*c)) {
            None => return Ok(()),
            Some(' ') => "a space".to_owned(),
            Some(c) => format!("{c:?}"),
        },
    };
    bail!("{refused} with {odd} in its path, {}: set {variable} to another folder", dir.display())
}

/// Errs where temporary files are to go to a folder that is none: builds would fail in their middle.
///
/// # Errors
/// Why, and the mend.
pub fn temporary() -> Result<()> {
    let Some(dir) = env::var_os("TMPDIR").map(PathBuf::from) else { return Ok(()) };
    let unset =
        || format!("TMPDIR is {}, which takes no temporary files: unset it, or name another", dir.display());
    ensure!(
        dir.is_absolute(),
        "TMPDIR is {}, which is no absolute path: unset it, or name one",
        dir.display()
    );
    let probe = dir.join(format!("xtask-{}", std::process::id()));
    fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).with_context(unset)
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    use super::*;

    #[test]
    fn a_path_that_make_or_virtme_ng_reads_otherwise_is_refused_with_the_mend() {
        for (path, built, booted) in [
            ("/var/lib/a+b_c-1.0/x", "", ""),
            ("/x/jürgen/x", "", "'ü'"),
            ("/var/lib/job@2/x", "", "'@'"),
            ("/x/Jane Doe/x", "a space", "a space"),
            ("/a:b", "':'", "':'"),
            ("/a\nb", "'\\n'", "'\\n'"),
            ("/a$b", "'$'", "'$'"),
            ("/a\"b", "'\"'", "'\"'"),
            ("/a=b,c", "'='", "'='"),
        ] {
            for (said, odd, variable) in [
                (for_builds(Path::new(path)), built, "XDG_CACHE_HOME"),
                (for_guests(Path::new(path)), booted, "CARGO_TARGET_DIR"),
            ] {
                let said = said.err().map_or_else(String::new, |error| error.to_string());
                let mend = format!("set {variable} to another folder");
                assert!(
                    if odd.is_empty() {
                        said.is_empty()
                    } else {
                        said.contains(odd) && said.ends_with(&mend)
                    },
                    "{path}: {said}"
                );
            }
        }
        let said = for_builds(Path::new(OsStr::from_bytes(b"/a\xff"))).unwrap_err().to_string();
        assert!(said.contains("no UTF-8"), "{said}");
    }
}
