// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a run of `cmpdel` ends: the table of exit codes.

use cmpdel_uapi::{Error, map_type_name};
use serde::Serialize;

/// How it ended. An entry is gone with [`Outcome::Deleted`] alone, and has a new value with [`Outcome::Set`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The window was equal and the entry is gone.
    Deleted,
    /// A dry run found the window equal.
    WouldBeDeleted,
    /// The window was equal and the entry has its new value.
    Set,
    /// A dry run of that found the window equal.
    WouldBeSet,
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
        &[
            Outcome::Deleted,
            Outcome::WouldBeDeleted,
            Outcome::Set,
            Outcome::WouldBeSet,
            Outcome::Collected,
            Outcome::WouldBeCollected,
        ],
        "deleted; `set`: the entry has the new value (with --dry-run: would be, would have)",
    ),
    (1, &[Outcome::Kept], "kept: the window differs; the difference is shown"),
    (2, &[Outcome::Usage], "usage, such as a length that does not fit, or a name that several maps have"),
    (3, &[Outcome::Absent], "no such key"),
    (
        4,
        &[Outcome::Unsupported],
        "this kernel, or this map, has no compare-and-delete; `set`: no compare-and-update",
    ),
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
            Error::UnsupportedMap { map_type } => Self {
                outcome: Outcome::Unsupported,
                message: format!("{error}; nothing was deleted: {}", would_work(*map_type)),
            },
            Error::Permission => {
                Self { outcome: Outcome::NotPermitted, message: format!("{what}: not permitted; {mend}") }
            }
            Error::BadWindow { .. }
            | Error::WindowTooLong { .. }
            | Error::ManagedField { .. }
            | Error::KeySize { .. }
            | Error::ValueSize { .. } => Self::usage(error.to_string()),
            Error::NotAMap => Self::other(format!("{what}: this is a BPF object, but no map")),
            _ => Self::other(format!("{what}: {error}")),
        }
    }

    /// The same of compare-and-update.
    #[must_use]
    pub fn from_update(error: &Error, mend: &str) -> Self {
        let unsupported = |message| Self { outcome: Outcome::Unsupported, message };
        match error {
            Error::UnsupportedKernel => unsupported(
                "this kernel has no compare-and-update (BPF_F_COMPARE); nothing was changed. It takes a kernel with the \
                 BPF_F_COMPARE series: without it, no call from user space compares and updates in one step"
                    .into(),
            ),
            Error::UnsupportedUpdate { .. } => unsupported(format!(
                "{error}; nothing was changed: the series on this kernel is the first version"
            )),
            Error::UnsupportedMap { map_type } => unsupported(format!(
                "this map (type {}) has no compare-and-update on this kernel; nothing was changed: {}",
                map_type_name(*map_type),
                would_work(*map_type)
            )),
            _ => Self::from_uapi("compare-and-update", error, mend),
        }
    }
}

/// Why a map is refused, and which would not be.
fn would_work(map_type: u32) -> &'static str {
    match map_type_name(map_type) {
        "hash" => {
            "its values hold a lock (bpf_spin_lock), or it lives on a device, or the series on this kernel is the first version \
             and its values hold something else that the kernel manages (a timer, a kptr); a hash map of plain values would work"
        }
        "lru_hash" => {
            "its values hold a lock, or the series on this kernel is the first version, with maps of type hash alone"
        }
        _ => "a map of type hash or lru_hash would work",
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
            (Outcome::Set, 0),
            (Outcome::WouldBeSet, 0),
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
        let message = |error| Failure::from_update(&error, "").message;
        for error in [
            Error::UnsupportedKernel,
            Error::UnsupportedUpdate { map_type: 1 },
            Error::UnsupportedMap { map_type: 5 },
        ] {
            assert_eq!(Failure::from_update(&error, "").outcome, Outcome::Unsupported);
            assert!(message(error).contains("nothing was changed"));
        }
    }
}
