// SPDX-License-Identifier: MIT OR Apache-2.0
//! The evidence of the race lab: what a model, a witness and a stress found in one cell of refresh × gc × map. Written by
//! the lab, one event a line, and read by whoever puts the matrix together.

pub mod hold;
mod violation;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use violation::{Violation, Violations};

/// A cell of the matrix, by the names in its tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// The refresh discipline.
    pub refresh: String,
    /// The gc strategy, with `+grace` where it waits for one.
    pub gc: String,
    /// The map: `hash`, `hash-no-prealloc`, `lru-hash`, or `arena`.
    pub map: String,
}

impl Cell {
    /// Of these names.
    #[must_use]
    pub fn new(refresh: &str, gc: &str, map: &str) -> Self {
        Self { refresh: refresh.into(), gc: gc.into(), map: map.into() }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} on {}", self.refresh, self.gc, self.map)
    }
}

/// The kernel's own no to a combination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The errno by name.
    pub errno: String,
    /// What was asked, and the verifier's line where there is one.
    pub text: String,
}

/// One step of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who: `packet`, `gc`, `other`, `next`, …
    pub actor: String,
    /// Which step of its program; the gate before it has this name.
    pub label: String,
    /// The kernel function, or the place in the program, that the step stands for.
    pub function: String,
    /// What it did, with what it saw.
    pub text: String,
}

/// What the model found. `counterexample` is the worst of `counterexamples`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// States explored, over all scenarios of the cell.
    pub states: u64,
    /// The memory model: `sc`, or `tso` where store buffers were explored as well.
    pub memory: String,
    /// The shortest schedule of the worst violation.
    pub counterexample: Option<Vec<Step>>,
    /// The shortest schedule of each violation found.
    pub counterexamples: BTreeMap<Violation, Vec<Step>>,
    /// What more is found if circumstances are worse than the cell's claim has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub if_worse: BTreeMap<Circumstance, BTreeMap<Violation, Vec<Step>>>,
}

/// Circumstances that a protocol may do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Circumstance {
    /// Packets of one flow run on two CPUs at once, or move from one to another.
    Spread,
    /// Two flows have the same tag.
    Collision,
    /// Two collectors run at once.
    TwoCollectors,
    /// Somebody updates entries without following the protocol: an agent, by system call.
    AgentUpdates,
    /// Somebody stores to entries in place without following the protocol: another program.
    AgentStores,
    /// Somebody deletes expired entries by key.
    HandDeletes,
}

impl Circumstance {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Spread,
        Self::Collision,
        Self::TwoCollectors,
        Self::AgentUpdates,
        Self::AgentStores,
        Self::HandDeletes,
    ];

    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Spread => "a flow's packets on two CPUs",
            Self::Collision => "two flows with one tag",
            Self::TwoCollectors => "a second collector",
            Self::AgentUpdates => "an agent's plain update",
            Self::AgentStores => "a program's plain store",
            Self::HandDeletes => "a delete by hand",
        }
    }
}

/// What replaying the counter-examples in the kernel showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Replays in which the violation was seen.
    pub replayed: u32,
    /// Replays tried.
    pub of: u32,
    /// For each violation: seen, tried.
    pub by_violation: BTreeMap<Violation, (u32, u32)>,
    /// Schedules that nothing can replay, and why: a store buffer drains when it likes.
    #[serde(default)]
    pub beyond: BTreeMap<Violation, String>,
    /// What holds the sides at their steps: `gate`, `debugger`.
    pub held_by: String,
    /// Why a replay did not show it, or was not tried.
    pub notes: Vec<String>,
}

/// What free running showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stress {
    /// Packets handed to the datapath.
    pub packets: u64,
    /// Refreshes of entries that were there.
    pub refreshes: u64,
    /// Entries that GC removed.
    pub deletes: u64,
    /// For each group of flows that has its packets from one CPU at a time: what followed its refreshes.
    #[serde(default)]
    pub followed: Vec<Followed>,
    /// Packets that were to open a flow.
    #[serde(default)]
    pub opens: u64,
    /// Those of them that found a dead entry in the way, or no room.
    #[serde(default)]
    pub opens_refused: u64,
    /// Live entries that an LRU map evicted: everybody's loss, and no violation.
    #[serde(default)]
    pub evicted_live: u64,
    /// Those of them that GC may have removed after all: it was at an entry of that flow when they went.
    #[serde(default)]
    pub undecided: u64,
    /// Entries that an LRU map evicted in all.
    #[serde(default)]
    pub evicted: u64,
    /// Memory of the maps in bytes, and how many entries they have room for.
    #[serde(default)]
    pub map_bytes: u64,
    /// See `map_bytes`.
    #[serde(default)]
    pub map_entries: u64,
    /// Violations, by kind.
    pub violations: Violations,
    /// Guest seconds.
    pub seconds: f64,
    /// Errors of map operations, by name.
    pub errors: BTreeMap<String, u64>,
}

/// Refreshes by when the next packet of their flow came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// It came while the entry had to be there: a loss would have been seen.
    pub in_time: u64,
    /// It came later.
    pub late: u64,
}

impl Stress {
    /// Adds another run of the same cell. The maps of all runs have one size.
    pub fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.refreshes += other.refreshes;
        self.deletes += other.deletes;
        self.followed.resize(self.followed.len().max(other.followed.len()), Followed::default());
        for (mine, theirs) in self.followed.iter_mut().zip(&other.followed) {
            mine.in_time += theirs.in_time;
            mine.late += theirs.late;
        }
        self.opens += other.opens;
        self.opens_refused += other.opens_refused;
        self.evicted_live += other.evicted_live;
        self.undecided += other.undecided;
        self.evicted += other.evicted;
        self.map_bytes = self.map_bytes.max(other.map_bytes);
        self.map_entries = self.map_entries.max(other.map_entries);
        self.seconds += other.seconds;
        for violation in Violation::ALL {
            *self.violations.of_mut(violation) += other.violations.of(violation);
        }
        for (name, count) in &other.errors {
            *self.errors.entry(name.clone()).or_default() += count;
        }
    }
}

/// Real connections through the datapath with GC running.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connections {
    /// Whether a second map (source NAT) was collected after the first.
    pub snat: bool,
    /// Connections opened by clients.
    pub opened: u64,
    /// Connections that ended with an error at the client.
    pub broken: u64,
    /// Packets of established flows that had no entry, as the datapath counted them.
    pub dropped: u64,
    /// Entries that GC removed.
    pub deletes: u64,
    /// Guest seconds.
    pub seconds: f64,
    /// Client errors by name.
    pub errors: BTreeMap<String, u64>,
}

/// One of the two whom the races are between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// A packet of a flow whose entry is live, under a refresh discipline.
    Refresh,
    /// A gc strategy, for one expired entry.
    Gc,
}

/// What one side does when nobody comes in between, as the model has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undisturbed {
    /// Which side.
    pub side: Side,
    /// The discipline or the strategy.
    pub name: String,
    /// Map operations: look-ups, updates, deletes; what is done inside one is not counted again.
    pub map_operations: u64,
    /// The series whose kernel alone runs it; none for what is tried on every kernel.
    pub series: Option<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One line of the lab's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RaceEvent {
    /// First line: how much there is to do.
    Plan {
        /// `uname -r`.
        release: String,
        /// CPUs online.
        cpus: usize,
        /// Steps to come; each ends with one event of another kind.
        steps: u64,
    },
    /// A step begins.
    Began {
        /// What, for people.
        what: String,
    },
    /// The model looked at a cell.
    Modelled {
        /// Which.
        cell: Cell,
        /// What it found.
        model: Model,
    },
    /// The price of a discipline or a strategy in steps. Belongs to no step of the plan.
    Undisturbed(Undisturbed),
    /// The kernel refuses a cell.
    Refused {
        /// Which.
        cell: Cell,
        /// How.
        refusal: Refusal,
    },
    /// A cell has no kernel evidence, for a reason that is not the kernel's refusal.
    Absent {
        /// Which.
        cell: Cell,
        /// Why.
        reason: String,
    },
    /// Counter-examples were replayed.
    Witnessed {
        /// Which cell.
        cell: Cell,
        /// What was seen.
        witness: Witness,
    },
    /// A cell ran freely.
    Stressed {
        /// Which.
        cell: Cell,
        /// What was seen.
        stress: Stress,
    },
    /// A cell ran freely under circumstances that are worse than its claim has them.
    Disturbed {
        /// Which.
        cell: Cell,
        /// How.
        circumstance: Circumstance,
        /// What was seen.
        stress: Stress,
    },
    /// Connections ran through a cell.
    Connected {
        /// Which.
        cell: Cell,
        /// What was seen.
        connections: Connections,
    },
    /// A cell's run failed for a reason that says nothing about the kernel.
    Failed {
        /// Which.
        cell: Cell,
        /// The kind of evidence: `model`, `witness`, `stress`, `connections`.
        evidence: String,
        /// The error.
        error: String,
    },
    /// Last line.
    Done {
        /// How many steps ended.
        steps: u64,
    },
}

impl RaceEvent {
    /// The cell that it says something of.
    #[must_use]
    pub fn cell(&self) -> Option<&Cell> {
        match self {
            Self::Plan { .. } | Self::Began { .. } | Self::Undisturbed(_) | Self::Done { .. } => None,
            Self::Modelled { cell, .. }
            | Self::Refused { cell, .. }
            | Self::Absent { cell, .. }
            | Self::Witnessed { cell, .. }
            | Self::Stressed { cell, .. }
            | Self::Disturbed { cell, .. }
            | Self::Connected { cell, .. }
            | Self::Failed { cell, .. } => Some(cell),
        }
    }
}
