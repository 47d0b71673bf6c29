// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a soak says: hours of everything at once, seen every few seconds. One event a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Connections that came to their end.
pub const WHOLE: &str = "connections that worked";
/// SYNs that met the entry of the connection before after its time: what a collector may be about to remove.
pub const EXPIRED_REOPENED: &str = "entries reopened after their time";
/// The race itself: a collector that had seen an entry expired found it live again when it came to remove it.
pub const RACED: &str = "entries found live again";
/// Of what somebody may have done in a soak, what must not have come to nothing: without it nothing was tested.
pub const NEEDED: [&str; 3] = ["deletes", WHOLE, EXPIRED_REOPENED];

/// Whose memory a gauge reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A map's, as the kernel accounts it (`memlock` of its fdinfo).
    Map,
    /// The kernel's, all of it (`/proc/meminfo`).
    Kernel,
    /// That of a collector in a process of its own.
    Collector,
    /// That of the program which runs the soak.
    Lab,
}

/// What is read in each sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gauge {
    /// Of what.
    pub name: String,
    /// Whose memory that is.
    pub kind: Kind,
}

/// What was seen at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Milliseconds since the plan.
    pub at_ms: u64,
    /// Since the last sample, the longest time in which no CPU ran a thread that was due at once.
    pub stood_ms: u64,
    /// The same of the one CPU on which it was longest.
    pub late_ms: u64,
    /// Bytes, a number for each gauge of the plan; none where it could not be read.
    pub bytes: Vec<Option<u64>>,
    /// Entries in all maps of flows.
    pub entries: u64,
    /// Refreshes so far.
    pub refreshes: u64,
    /// Entries that collectors have removed so far.
    pub deletes: u64,
    /// What was lost so far.
    pub losses: u64,
}

/// What one of those who worked at the same time has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worked {
    /// Who.
    pub worker: String,
    /// What it did, by name.
    pub did: BTreeMap<String, u64>,
    /// What went wrong that must not, by name.
    pub losses: BTreeMap<String, u64>,
    /// Why it could not go on; nothing if it could.
    pub error: Option<String>,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SoakEvent {
    /// Somebody is made ready. Comes before the plan, for whoever waits.
    Readied {
        /// Who.
        worker: String,
    },
    /// All are ready, and begin.
    Plan {
        /// `uname -r`.
        release: String,
        /// CPUs that are used.
        cpus: usize,
        /// For how long.
        seconds: u64,
        /// Between samples.
        every_ms: u64,
        /// Who works.
        workers: Vec<String>,
        /// Who does not work here, and why.
        absent: BTreeMap<String, String>,
        /// What is read in each sample.
        gauges: Vec<Gauge>,
    },
    /// Every so often.
    Sampled(Sample),
    /// One has stopped.
    Ended(Worked),
    /// Last line.
    Done {
        /// How many samples went before.
        samples: u64,
        /// It was told to stop before its time.
        stopped: bool,
    },
}

/// In the folder of the events: whoever makes this file ends the soak before its time.
pub const STOP: &str = "soak.stop";
