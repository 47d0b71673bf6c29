// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lines of kernels that Debian packages, and where.

use anyhow::{Context, Result};

/// A line of kernels in one flavour.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// How it is asked for.
    pub name: &'static str,
    /// The beginning of its kernels' versions.
    pub kernel: &'static str,
    /// Fully preemptible: `PREEMPT_RT`.
    pub rt: bool,
    /// Suites that have it. All of a group are asked and the newest kernel is taken; a later group is asked where an earlier
    /// one has none.
    pub suites: &'static [&'static [&'static str]],
}

const COUNT: usize = 4;

/// The order of `source`, so that the packaged kernel and the packaged source are the same version while Debian has both.
const NEWEST: &[&[&str]] = &[&["trixie-backports"], &["forky"], &["sid"]];

static LINES: [Line; COUNT] = [
    Line { name: "6.1", kernel: "6.1", rt: false, suites: &[&["bookworm-security", "bookworm"]] },
    Line {
        name: "6.12",
        kernel: "6.12",
        rt: false,
        // The last resort is Debian 12, which gets this line too.
        suites: &[&["trixie-security", "trixie"], &["bookworm-security"]],
    },
    Line { name: "7.3", kernel: "7.3", rt: false, suites: NEWEST },
    Line { name: "7.3-rt", kernel: "7.3", rt: true, suites: NEWEST },
];

/// The names of all lines.
pub fn lines() -> [&'static str; COUNT] {
    LINES.each_ref().map(|line| line.name)
}

/// The line of that name.
///
/// # Errors
/// When there is none, with the names that there are.
pub fn named(name: &str) -> Result<&'static Line> {
    LINES
        .iter()
        .find(|line| line.name == name)
        .with_context(|| format!("there is no stock kernel `{name}`; there are: {}", lines().join(", ")))
}

impl Line {
    /// Whether a kernel that says so of itself (`uname -r`) is of this line.
    #[must_use]
    pub fn has(&self, release: &str) -> bool {
        let rest = release.strip_prefix(self.kernel).unwrap_or_default();
        rest.starts_with(['.', '-', '+']) && release.split('-').any(|word| word == "rt") == self.rt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_of_its_line_alone() {
        for (line, release) in [
            ("6.1", "6.1.0-56-amd64"),
            ("6.12", "6.12.90+deb13-amd64"),
            ("7.3", "7.3.4+deb13-amd64"),
            ("7.3-rt", "7.3.4+deb13-rt-amd64"),
        ] {
            for other in lines() {
                assert_eq!(named(other).unwrap().has(release), other == line, "{other}: {release}");
            }
        }
    }

    #[test]
    fn a_wrong_name_is_told_the_right_ones() {
        assert!(named("7.3-rt").unwrap().rt);
        assert_eq!(
            named("5.10").unwrap_err().to_string(),
            "there is no stock kernel `5.10`; there are: 6.1, 6.12, 7.3, 7.3-rt"
        );
    }
}
