// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong with an entry, and how often it did.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What can go wrong. In the order in which a cell names its worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    /// A refresh had completed, and yet the entry is gone.
    LostRefresh,
    /// A refresh landed in an element that belonged to another key.
    StrayWrite,
    /// An entry carries what belongs to another flow: its backend, its port.
    ForeignValue,
    /// An entry was put back with a value older than one the datapath had written.
    StaleRestore,
    /// A refreshed entry could not be found for a time, although it came back.
    Gap,
    /// More removals were reported than happened.
    DoubleDelete,
    /// An expired entry stays.
    NeverRemoved,
}

impl Violation {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::LostRefresh,
        Self::StrayWrite,
        Self::ForeignValue,
        Self::StaleRestore,
        Self::Gap,
        Self::DoubleDelete,
        Self::NeverRemoved,
    ];

    /// As the product's words have it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::LostRefresh => "lost refresh",
            Self::StrayWrite => "stray write",
            Self::ForeignValue => "foreign value",
            Self::StaleRestore => "stale restore",
            Self::Gap => "gap",
            Self::DoubleDelete => "double delete",
            Self::NeverRemoved => "never removed",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// How often each violation was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violations {
    /// See [`Violation::LostRefresh`].
    pub lost_refresh: u64,
    /// See [`Violation::Gap`].
    pub gap: u64,
    /// See [`Violation::StrayWrite`].
    pub stray_write: u64,
    /// See [`Violation::ForeignValue`].
    #[serde(default)]
    pub foreign_value: u64,
    /// See [`Violation::StaleRestore`].
    pub stale_restore: u64,
    /// See [`Violation::DoubleDelete`].
    pub double_delete: u64,
    /// See [`Violation::NeverRemoved`].
    pub never_removed: u64,
}

impl Violations {
    /// The count of one.
    #[must_use]
    pub fn of(&self, violation: Violation) -> u64 {
        match violation {
            Violation::LostRefresh => self.lost_refresh,
            Violation::StrayWrite => self.stray_write,
            Violation::ForeignValue => self.foreign_value,
            Violation::StaleRestore => self.stale_restore,
            Violation::Gap => self.gap,
            Violation::DoubleDelete => self.double_delete,
            Violation::NeverRemoved => self.never_removed,
        }
    }

    /// The count of one, to add to.
    pub fn of_mut(&mut self, violation: Violation) -> &mut u64 {
        match violation {
            Violation::LostRefresh => &mut self.lost_refresh,
            Violation::StrayWrite => &mut self.stray_write,
            Violation::ForeignValue => &mut self.foreign_value,
            Violation::StaleRestore => &mut self.stale_restore,
            Violation::Gap => &mut self.gap,
            Violation::DoubleDelete => &mut self.double_delete,
            Violation::NeverRemoved => &mut self.never_removed,
        }
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> u64 {
        Violation::ALL.iter().map(|&violation| self.of(violation)).sum()
    }
}
