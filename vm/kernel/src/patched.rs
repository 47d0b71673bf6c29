// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a series makes of a base.

use serde::Serialize;

/// A base with a series applied.
#[derive(Clone, Debug, Serialize)]
pub struct Patched {
    /// The commit in the store.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// Subjects, in order.
    pub patches: Vec<String>,
}
