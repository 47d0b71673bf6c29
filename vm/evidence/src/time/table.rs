// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was seen, for people.

use results::{Status, TestResult};

/// A line for each scene.
pub fn table(tests: &[TestResult]) -> String {
    let line = |test: &TestResult| {
        let word = match test.status {
            Status::Pass => "right  ",
            Status::Fail => "WRONG  ",
            Status::Skip => "skipped",
            Status::Error => "UNTRIED",
        };
        format!("{word}  {}\n           {}", test.name, test.detail)
    };
    tests.iter().map(line).collect::<Vec<_>>().join("\n")
}
