// SPDX-License-Identifier: MIT OR Apache-2.0
//! A table, wherever it stands.

use serde::Serialize;

/// A table of words and figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// The anchor.
    pub id: String,
    /// What it is of.
    pub caption: String,
    /// The heads of the columns.
    pub head: Vec<String>,
    /// The rows; the first cell is the row's head.
    pub rows: Vec<Vec<String>>,
    /// What else there is to say.
    pub notes: Vec<String>,
}
