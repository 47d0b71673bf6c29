// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a command ends with: one of the three outcomes, and its results in numbers. An `Err` is always the third outcome:
//! nothing was learnt about the kernel.

use results::Status;

pub use crate::events::Outcome;

/// How a command ended, with its results in numbers if it has any.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Which of the three.
    pub outcome: Outcome,
    /// Printed last.
    pub count: Option<Count>,
}

impl Done {
    /// Failed if a result is.
    pub fn counted(count: Count) -> Self {
        Self { outcome: Outcome::from_ok(count.failed == 0), count: Some(count) }
    }
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, count: None }
    }
}

/// Results counted as they are printed: a test that could not be run counts as failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Kept their promise.
    pub passed: usize,
    /// Did not, or could not be run.
    pub failed: usize,
    /// Have a reason not to run.
    pub skipped: usize,
}

impl Count {
    /// Counts one more.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Pass => self.passed += 1,
            Status::Fail | Status::Error => self.failed += 1,
            Status::Skip => self.skipped += 1,
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}
