// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole guest stands still, as when its host is suspended: how it asks for that, and what it saw.

use serde::{Deserialize, Serialize};

use super::Left;
use crate::races::Violations;

/// The files by which a guest asks its host to stop it, and by which that answers, in the folder that both see. Numbers begin
/// at 0 and leave none out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Files(pub u32);

impl Files {
    /// Milliseconds, written by the guest.
    #[must_use]
    pub fn request(self) -> String {
        format!("stop-{}.ms", self.0)
    }

    /// Milliseconds for which it stood still, by the host's clock.
    #[must_use]
    pub fn done(self) -> String {
        format!("stop-{}.done", self.0)
    }

    /// A sentence: it was not stopped.
    #[must_use]
    pub fn failed(self) -> String {
        format!("stop-{}.failed", self.0)
    }
}

/// The clocks of a guest, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// `CLOCK_MONOTONIC`.
    pub monotonic: i64,
    /// `CLOCK_BOOTTIME`.
    pub boottime: i64,
    /// `CLOCK_REALTIME`.
    pub realtime: i64,
}

/// A guest was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The clock that stamps, and by which the collector judges.
    pub clock: String,
    /// It has to go wrong: a control.
    pub loses: bool,
    /// For how long an entry lives after a packet, in ms of that clock.
    pub lifetime_ms: u64,
    /// For how long it stood still, by the host's clock, in ms.
    pub host_ms: u64,
    /// By how much each clock went on between the request and the answer. What goes on while it stands still is in it.
    pub clocks: Clocks,
    /// The wall clock was set right afterwards, by so much in ms.
    pub set_ms: i64,
    /// Packets of flows that never paused, and those of them that missed their entry.
    pub packets: u64,
    /// Those that missed.
    pub missed: u64,
    /// Entries that the collector removed meanwhile, which ran all the time.
    pub removed: u64,
    /// Its rounds.
    pub rounds: u64,
    /// What the oracle found.
    pub violations: Violations,
    /// The map afterwards.
    pub left: Left,
}
