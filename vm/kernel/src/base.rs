// SPDX-License-Identifier: MIT OR Apache-2.0
//! What patches are applied to: the lines of kernels that there are, and one of them in the store.

/// The line of kernels that is meant when none is named. The bindings and the cover letters are made on it.
pub const DEFAULT: &str = "7.3";
/// The lines of kernels that the series apply to, and where Debian keeps them, the suite with the newest first.
pub const LINES: [(&str, [&str; 3]); 3] = [
    (DEFAULT, ["trixie-backports", "forky", "sid"]),
    // Debian's unstable suite still follows this one.
    ("7.2", ["sid", "forky", "trixie-backports"]),
    // The line of the stable distribution, supported for longest.
    ("6.12", ["trixie-security", "trixie", "trixie-backports"]),
];

/// The names of all lines.
pub fn lines() -> [&'static str; LINES.len()] {
    LINES.map(|(line, _)| line)
}

/// A base in the store.
#[derive(Clone, Debug)]
pub struct Base {
    /// Its commit in the store.
    pub commit: String,
    /// Version and patch level, `7.3` say.
    pub line: String,
    /// For people: package and version, or the folder.
    pub name: String,
    /// For file names: the same source always has the same.
    pub slug: String,
    /// It is the packaged source that the committed bindings were made from.
    pub pinned: bool,
}
