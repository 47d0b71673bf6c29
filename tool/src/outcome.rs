// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a run of `cmpdel` ends: the table of exit codes.

use cmpdel_uapi::{Error, map_type_name};
use serde::Serialize;

/// How it ended. An entry is gone with [`Outcome::Deleted`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The window was equal and the entry is gone.
    Deleted,
    /// A dry run found the window equal.
    WouldBeDeleted,
    /// A collection came to its end.
    Collected,
    /// A dry run of one did.
    WouldBeCollected,
    /// The window differs and the entry is there.
    Kept,
    /// The arguments do not fit each other or the map.
    Usage,
    /// There is no such key.
    Absent,
    /// This kernel, or this map, has no compare-and-delete.
    Unsupported,
    /// Not permitted.
    NotPermitted,
    /// Anything else.
    Error,
}

/// Exit code, outcomes, what `--help` says of it.
pub const EXIT_CODES: [(u8, &[Outcome], &str); 7] = [
    (
        0,
        &[Outcome::Deleted, Outcome::WouldBeDeleted, Outcome::Collected, Outcome::WouldBeCollected],
        "deleted (with --dry-run: would be)",
    ),
    (1, &[Outcome::Kept], "kept: the window differs; the difference is shown"),
    (2, &[Outcome::Usage], "usage, such as a length that does not fit, or a name that several maps have"),
    (3, &[Outcome::Absent], "no such key"),
    (4, &[Outcome::Unsupported], "this kernel, or this map, has no compare-and-delete"),
    (5, &[Outcome::NotPermitted], "not permitted"),
    (6, &[Outcome::Error], "anything else"),
];

impl Outcome {
    /// The exit code that says so.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        EXIT_CODES.iter().find(|(_, outcomes, _)| outcomes.contains(&self)).map_or(6, |(code, ..)| *code)
    }
}

/// Why it did not come to an answer, in one sentence or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which exit.
    pub outcome: Outcome,
    /// What, why, the mend.
    pub message: String,
}

impl Failure {
    /// The arguments do not fit.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self { outcome: Outcome::Usage, message: message.into() }
    }

    /// Anything else.
    #[must_use]
    pub fn other(message: impl Into<String>) -> Self {
        Self { outcome: Outcome::Error, message: message.into() }
    }

    /// What the kernel or the library said while doing `what`; `mend` is what to try when it is not permitted.
    #[must_use]
    pub fn from_uapi(what: &str, error: &Error, mend: &str) -> Self {
        match error {
            Error::UnsupportedKernel | Error::NoBpf => Self {
                outcome: Outcome::Unsupported,
                message: format!(
                    "{error}; nothing was deleted. It takes a kernel with the BPF_F_COMPARE series: without it, no call \
                     from user space compares and deletes in one step"
                ),
            },
            Error::UnsupportedMap { map_type } => {
                let reason = match map_type_name(*map_type) {
                    "hash" => {
                        "its values hold fields that the kernel manages by BTF (a lock, a timer, a kptr), or it lives on \
                         a device; a hash map of plain values would work"
                    }
                    "lru_hash" => {
                        "either its values hold fields that the kernel manages by BTF (a timer, a kptr), or the series on \
                         this kernel is the first version, with maps of type hash alone"
                    }
                    _ => "a map of type hash or lru_hash would work",
                };
                Self {
                    outcome: Outcome::Unsupported,
                    message: format!("{error}; nothing was deleted: {reason}"),
                }
            }
            Error::Permission => {
                Self { outcome: Outcome::NotPermitted, message: format!("{what}: not permitted; {mend}") }
            }
            Error::BadWindow { .. } | Error::KeySize { .. } => Self::usage(error.to_string()),
            Error::NotAMap => Self::other(format!("{what}: this is a BPF object, but no map")),
            _ => Self::other(format!("{what}: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let codes = [
            (Outcome::Deleted, 0),
            (Outcome::WouldBeDeleted, 0),
            (Outcome::Collected, 0),
            (Outcome::WouldBeCollected, 0),
            (Outcome::Kept, 1),
            (Outcome::Usage, 2),
            (Outcome::Absent, 3),
            (Outcome::Unsupported, 4),
            (Outcome::NotPermitted, 5),
            (Outcome::Error, 6),
        ];
        for (outcome, code) in codes {
            assert_eq!(outcome.exit_code(), code, "{outcome:?}");
        }
    }

    #[test]
    fn a_refused_map_says_what_would_work() {
        let message = |map_type| Failure::from_uapi("x", &Error::UnsupportedMap { map_type }, "").message;
        assert!(
            message(5).contains("percpu_hash") && message(5).contains("type hash or lru_hash would work")
        );
        assert!(message(1).contains("plain values would work"));
    }
}
