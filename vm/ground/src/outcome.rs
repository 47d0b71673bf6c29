// SPDX-License-Identifier: MIT OR Apache-2.0
//! The three ways in which a command ends. An `Err` is always the third: nothing was learnt about the kernel.

use std::process::ExitCode;

use results::Status;
use serde::Serialize;

/// How a command ended, and its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was asked for was checked and holds.
    Passed,
    /// A test failed, the kernel splatted, or a check found a fault.
    Failed,
    /// A tool, space, the source, a patch, the build or the boot stood in the way.
    CouldNotRun,
}

impl Outcome {
    /// 0, 1 or 69 (`EX_UNAVAILABLE` of sysexits.h).
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::CouldNotRun => 69,
        }
    }

    /// As the verdict says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::CouldNotRun => "could not run",
        }
    }

    /// `Passed` only if every part is.
    pub fn from_ok(ok: bool) -> Self {
        if ok { Self::Passed } else { Self::Failed }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

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

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let codes = [Outcome::Passed, Outcome::Failed, Outcome::CouldNotRun].map(Outcome::code);
        assert_eq!(codes, [0, 1, 69]);
    }
}
