// SPDX-License-Identifier: MIT OR Apache-2.0
//! A clock is set while entries are stamped by it, or by another.

use serde::{Deserialize, Serialize};

/// Who collects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collected {
    /// `cmpdel gc`, as people type it.
    Cmpdel,
    /// `cmpdel gc --force`, which does not stop.
    Forced,
    /// keep's collector, with the clock that its caller reads.
    Keep,
}

/// `CLOCK_REALTIME` was set between the stamps and a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stepped {
    /// Who collects.
    pub by: Collected,
    /// The clock that stamps, and by which the collector judges.
    pub clock: String,
    /// By how much the wall clock was set, in seconds.
    pub step_s: i64,
    /// Entries with a stamp of before the step are live, in truth.
    pub live: u64,
    /// Entries that have expired, in truth.
    pub expired: u64,
    /// Entries that were stamped after the step, and are live.
    pub fresh: u64,
    /// It has to go wrong: a control, or a case that the manual warns of.
    pub loses: bool,
    /// Of `live` and `fresh`, those that are still there.
    pub live_left: u64,
    /// Of `expired`, those that are still there.
    pub expired_left: u64,
    /// The exit status of the command.
    pub exit: Option<i32>,
    /// What it said, cut off.
    pub said: String,
}
