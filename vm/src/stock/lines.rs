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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_told_the_right_ones() {
        assert!(named("7.3-rt").unwrap().rt);
        assert_eq!(
            named("5.10").unwrap_err().to_string(),
            "there is no stock kernel `5.10`; there are: 6.1, 6.12, 7.3, 7.3-rt"
        );
    }
}
