// SPDX-License-Identifier: MIT OR Apache-2.0
//! Folders that others have to take: make, shells and virtual machines read some characters of a path as something else.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

/// What none of them reads as anything but itself, beside letters and digits.
const PLAIN: &str = "-_./+@~";

/// Errs unless the path of `dir` is read by all of them as it is. `variable` names another place for it.
///
/// # Errors
/// What is in it, and the mend.
pub fn plain(dir: &Path, what: &str, variable: &str) -> Result<()> {
    let odd = match dir.to_str() {
        None => "bytes that are no UTF-8".to_owned(),
        Some(path) => match path.chars().find(|c| !c.is_alphanumeric() && !PLAIN.contains(*c)) {
            None => return Ok(()),
            Some(' ') => "a space".to_owned(),
            Some(c) => format!("{c:?}"),
        },
    };
    bail!(
        "make, shells and virtme-ng do not take {what} with {odd} in its path, {}: set {variable} to another folder",
        dir.display()
    )
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
    fn a_path_that_make_or_a_shell_reads_otherwise_is_refused_with_the_mend() {
        for fine in ["/ä/jürgen/.cache/x", "/var/lib/job@2/a+b_c-1.0~/x"] {
            plain(Path::new(fine), "a cache", "XDG").unwrap();
        }
        for (path, odd) in [
            ("/x/Jane Doe/x", "a space"),
            ("/a:b", "':'"),
            ("/a\nb", "'\\n'"),
            ("/a$b", "'$'"),
            ("/a\"b", "'\"'"),
            ("/a=b,c", "'='"),
        ] {
            let said = plain(Path::new(path), "a cache", "XDG").unwrap_err().to_string();
            assert!(said.contains(odd) && said.ends_with("set XDG to another folder"), "{said}");
        }
        let said = plain(Path::new(OsStr::from_bytes(b"/a\xff")), "a cache", "XDG").unwrap_err().to_string();
        assert!(said.contains("no UTF-8"), "{said}");
    }
}
