// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two views of the event stream: bars on a terminal, plain lines elsewhere.

mod bars;
mod plain;

use std::io::{IsTerminal, stderr, stdout};

use crate::events::View;

/// The view for where the output goes. With `json`, standard output belongs to the report.
pub fn choose(json: bool) -> Box<dyn View> {
    let terminal = stderr().is_terminal() && (json || stdout().is_terminal());
    if terminal && std::env::var_os("CI").is_none() {
        Box::new(bars::Bars::new())
    } else {
        Box::new(plain::Plain::new(json))
    }
}
