// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each approach costs: the lines that `lab bench` writes, and the rows of `bench.json` that `cargo xtask bench` makes
//! of them. A [`Measure`] says what was measured and how much; a [`Row`] adds on which kernel.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Instructions of the guest, counted by QEMU.
    Instructions,
    /// Nanoseconds of a real clock.
    Ns,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Instructions => "instructions",
            Self::Ns => "ns",
        })
    }
}

/// Which of the tables a figure belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// One operation, or one element of a batch.
    Operation,
    /// A packet through the XDP workload.
    Datapath,
    /// A round of GC over a whole map.
    Job,
    /// Packets and GC on different CPUs.
    Contention,
}

/// What a packet finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowState {
    /// An entry that has not expired.
    Live,
    /// An entry that has; where two maps take turns, one that is in the map before the current one alone.
    Due,
    /// No entry: one is created.
    New,
    /// Nothing to do with flows: what the rows beside it are compared with.
    Floor,
}

/// What a datapath figure is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Packet {
    /// The refresh discipline; with [`FlowState::Floor`], `empty` or `look-up`. `store+timer` is `store` where whoever opens a
    /// flow sets its entry's timer.
    pub discipline: String,
    /// What the packet found.
    pub state: FlowState,
}

/// What a job figure is of, and what else was counted in the round. `min`, `median` and `spread` of its row are of
/// the whole round: snapshot, decision and removal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The gc strategy, as the matrix of the races names it.
    pub strategy: String,
    /// Entries in the map.
    pub entries: u64,
    /// How many of a hundred had expired.
    pub expired_percent: u32,
    /// Entries removed.
    pub removed: u64,
    /// Cost of finding out, in the row's unit for each entry in the map: snapshot and decision. For a strategy that walks
    /// in the kernel, the same round with nothing expired; 0 where maps take turns and nothing is looked at.
    pub per_entry_looked_at: f64,
    /// Cost of removing, in the row's unit for each entry removed: all but the above.
    pub per_entry_removed: f64,
    /// System calls of the round.
    pub system_calls: u64,
    /// Memory in bytes of what entries and protocol take: of the map, or of both where two take turns, and of the stripes
    /// where there are such; `memlock` of their fdinfo.
    pub map_bytes: u64,
    /// The most memory, in bytes, that GC held for itself: snapshot, list of the expired, memory shared with a program, the
    /// map that comes next.
    pub gc_bytes: u64,
}

/// What a contention figure is of: packets on one CPU, GC on another. `min`, `median` and `spread` of its row are of a packet
/// of a live flow while a round of GC goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contention {
    /// The refresh discipline of the packets.
    pub discipline: String,
    /// The gc strategy beside them.
    pub strategy: String,
    /// A packet in the rounds in between, without GC: the median.
    pub packet_alone: f64,
    /// A packet beside GC over one without, each from neighbouring rounds: the median of these ratios.
    pub packet_ratio: f64,
    /// A round of GC, in the row's unit for each entry removed, beside the packets: the median of all rounds.
    pub removal: f64,
    /// The same without packets, from the rounds in between.
    pub removal_alone: f64,
    /// The one over the other, from neighbouring rounds: the median of these ratios.
    pub removal_ratio: f64,
}

/// One figure. Costs are those of one operation, element, packet or round; the cost of the measuring itself
/// (`floor`) is already taken off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The table it belongs to.
    pub group: Group,
    /// What is done, as the operation table names it; `packet` in the tables of datapath and contention, `gc` in the job's.
    pub operation: String,
    /// The map: `hash`, `hash-no-prealloc`, `lru-hash`, `rhash`, `arena`; `-` where there is none.
    pub map: String,
    /// Bytes compared, for operations that compare.
    pub window: Option<u32>,
    /// What is counted.
    pub unit: Unit,
    /// The least seen.
    pub min: f64,
    /// Half were below.
    pub median: f64,
    /// Between the first and the third quarter.
    pub spread: f64,
    /// Samples, outliers left out.
    pub n: u32,
    /// What was subtracted from each sample.
    pub floor: f64,
    /// Elements that a sample was divided by: those of a batch; 1 for a single call.
    pub elements: u64,
    /// In the datapath's table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<Packet>,
    /// In the job's table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
    /// In the contention's table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contention: Option<Contention>,
}

/// Where a figure comes from. Figures are comparable only if unit, accel, configuration and compiler are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// `base`, a series, or `native` for the kernel of the host.
    pub kernel: String,
    /// `tcg`, `kvm` or `native`.
    pub accel: String,
    /// SHA-256 of the final configuration; empty where unknown (native).
    pub config_sha256: String,
    /// First line of `gcc --version`; empty where unknown (native).
    pub compiler: String,
    /// SHA-256 of the kernel image; empty where unknown (native).
    pub image_sha256: String,
}

/// A row of `bench.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was measured.
    #[serde(flatten)]
    pub measure: Measure,
    /// On what.
    #[serde(flatten)]
    pub origin: Origin,
}

/// Something that was not measured, and why. Counted, never silent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The table that misses it.
    pub group: Group,
    /// What.
    pub what: String,
    /// The kernel, as in [`Origin`].
    pub kernel: String,
    /// Why.
    pub reason: String,
}

/// Two figures of one environment, one over the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// What, in words: `compare hit, window 8, hash, v2 ÷ delete hit, base`.
    pub what: String,
    /// Measured, by the minima.
    pub ratio: f64,
    /// At most this is wanted. A target, not an outcome.
    pub goal: Option<f64>,
    /// Whether it is so; `None` without a goal.
    pub reached: Option<bool>,
}

/// Instructions of one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Its symbol, as `/proc/kallsyms` has it.
    pub function: String,
    /// Instructions in it, without those it calls.
    pub instructions: u64,
    /// Times it was entered.
    pub calls: u64,
}

/// Where the instructions of one operation go, from the first of the kernel to its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The operation, as in the rows.
    pub operation: String,
    /// The map, as in the rows.
    pub map: String,
    /// As in the rows.
    pub window: Option<u32>,
    /// The kernel, as in [`Origin`].
    pub kernel: String,
    /// Instructions in all.
    pub instructions: u64,
    /// By function, the most expensive first.
    pub functions: Vec<Spent>,
}

/// What the guest asks the host's debugger to step through: the next bpf(2) with this command. The guest goes on calling
/// until there is an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The operation, as in the rows.
    pub operation: String,
    /// The map, as in the rows.
    pub map: String,
    /// As in the rows.
    pub window: Option<u32>,
    /// `enum bpf_cmd`.
    pub command: u64,
}

/// The files by which a guest asks, numbered from 0; and the kernel's symbols, which it copies for the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskFiles(pub u32);

impl AskFiles {
    /// The guest's `/proc/kallsyms`.
    pub const SYMBOLS: &str = "kallsyms";

    /// An [`Ask`], written by the guest.
    #[must_use]
    pub fn ask(self) -> String {
        format!("profile-{}.ask", self.0)
    }

    /// A [`Profile`], written by the host.
    #[must_use]
    pub fn done(self) -> String {
        format!("profile-{}.done", self.0)
    }

    /// Why there is none, written by the host.
    #[must_use]
    pub fn failed(self) -> String {
        format!("profile-{}.failed", self.0)
    }
}

/// What `bench.json` and `calibrate.json` hold beside the environment of `report.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// SHA-256 of the image of the kernel with the series; of the base where that alone was measured; empty if native.
    pub image_sha256: String,
    /// All figures.
    pub rows: Vec<Row>,
    /// What was not measured.
    pub skipped: Vec<Skipped>,
    /// What is compared with what.
    pub ratios: Vec<Ratio>,
    /// Where instructions go.
    pub profiles: Vec<Profile>,
    /// The largest difference between two runs of the same image, as a fraction, where two were made.
    pub repeat_difference: Option<f64>,
    /// Wall time of the measuring in seconds.
    pub seconds: f64,
}

/// One line of the output of `lab bench`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum BenchEvent {
    /// First line.
    Plan {
        /// `uname -r`.
        release: String,
        /// CPUs online.
        cpus: usize,
        /// What the clock counts, found out by a loop of known length.
        unit: Unit,
        /// Steps to come; each ends with one [`BenchEvent::Measured`], [`BenchEvent::Skipped`] or [`BenchEvent::Failed`].
        steps: u64,
        /// What they weigh together, in units of expected instructions.
        weight: u64,
    },
    /// A step begins.
    Began {
        /// What, for people.
        what: String,
        /// What it weighs of the plan's weight.
        weight: u64,
    },
    /// A step gave a figure.
    Measured(Box<Measure>),
    /// A step does not exist here.
    Skipped {
        /// The table that misses it.
        group: Group,
        /// What.
        what: String,
        /// Why.
        reason: String,
    },
    /// A step went wrong: an operation did not do what it says, or could not run.
    Failed {
        /// What.
        what: String,
        /// How.
        error: String,
        /// True if an operation did what it must not do; false if it could not run.
        broken: bool,
    },
    /// Last line.
    Done {
        /// How many steps ended.
        steps: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_flat_and_reads_back() {
        let measure = Measure {
            group: Group::Operation,
            operation: "compare hit".into(),
            map: "hash".into(),
            window: Some(8),
            unit: Unit::Instructions,
            min: 1.0,
            median: 1.0,
            spread: 0.0,
            n: 9,
            floor: 30.0,
            elements: 1,
            packet: None,
            job: None,
            contention: None,
        };
        let origin = Origin {
            kernel: "v2".into(),
            accel: "tcg".into(),
            config_sha256: "c".into(),
            compiler: "gcc".into(),
            image_sha256: "i".into(),
        };
        let row = Row { measure, origin };
        let json = serde_json::to_value(&row).unwrap();
        assert_eq!(json["kernel"], "v2");
        assert_eq!(json["unit"], "instructions");
        assert!(json.get("job").is_none());
        assert_eq!(serde_json::from_value::<Row>(json).unwrap(), row);
    }
}
