// SPDX-License-Identifier: MIT OR Apache-2.0
//! The three ways in which a command ends. An `Err` is always the third: nothing was learnt about the kernel.

use std::process::ExitCode;

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

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let codes = [Outcome::Passed, Outcome::Failed, Outcome::CouldNotRun].map(Outcome::code);
        assert_eq!(codes, [0, 1, 69]);
    }
}
