// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people read of a soak.

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use results::{Status, TestResult};

/// A row for everybody and for each gauge.
pub fn table(tests: &[TestResult]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["", "what", "seen"]);
    for test in tests {
        let status = match test.status {
            Status::Pass => "pass",
            Status::Fail => "FAIL",
            Status::Skip => "skip",
            Status::Error => "ERROR",
        };
        let name = test.name.strip_prefix("soak::").unwrap_or(&test.name);
        table.add_row([status, name, &test.detail]);
    }
    table.set_width(120).to_string()
}
