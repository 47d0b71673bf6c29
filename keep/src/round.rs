// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a round has come to.

/// What became of an entry that had expired when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is gone, by this collector: whatever hangs on it can follow.
    Deleted,
    /// A packet has refreshed it since, or the second condition spares it.
    Kept,
    /// Somebody else has removed it.
    Absent,
    /// Its stripe was not to be had: the next round tries again.
    Busy,
    /// The kernel refused its delete; the round says so at its end.
    Failed,
    /// It would have been looked at more closely, had this not been a dry run.
    Expired,
}

/// A round in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Entries looked at. One that moves in the map while it is walked may count twice.
    pub looked_at: u64,
    /// Those of them that had expired.
    pub expired: u64,
    /// Those of the expired that were deleted.
    pub deleted: u64,
    /// Those that were kept.
    pub kept: u64,
    /// Those that somebody else had removed.
    pub absent: u64,
    /// Those whose stripe was not to be had.
    pub busy: u64,
}

impl Round {
    pub(crate) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Deleted => self.deleted += 1,
            Outcome::Kept => self.kept += 1,
            Outcome::Absent => self.absent += 1,
            Outcome::Busy => self.busy += 1,
            Outcome::Expired | Outcome::Failed => {}
        }
    }
}
