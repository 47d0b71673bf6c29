// SPDX-License-Identifier: MIT OR Apache-2.0
//! What libbpf has to say: off the console, and shown with the error that it belongs to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use libbpf_rs::{PrintLevel, set_print};

/// Lines shown with an error.
const SHOWN: usize = 20;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on.
pub fn keep() {
    set_print(Some((PrintLevel::Info, |_, text| lines().extend(text.lines().map(String::from)))));
}

/// Forgets what was said.
pub fn clear() {
    lines().clear();
}

/// The last lines, each on a line of its own.
#[must_use]
pub fn tail() -> String {
    let lines = lines();
    lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| format!("\n{line}")).collect()
}

/// All that was said since the last [`clear`].
#[must_use]
pub fn said() -> Vec<String> {
    lines().clone()
}

fn lines() -> MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}
