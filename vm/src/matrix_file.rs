// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix as a file, with where it comes from.

use std::path::Path;

use anyhow::Result;
use evidence::races::{self, Machine, Matrix, Row};
use ground::cache::write_whole;
use serde::Serialize;

use crate::run_report::Report;

/// `matrix.json`, `matrix-PROFILE.json`, `here.json`, `stock-LINE.json`.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(flatten)]
    environment: &'a Report,
    /// The machine whose kernel was asked as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<&'a Machine>,
    cells: &'a [Row],
    verdicts: Vec<String>,
}

/// Writes the matrix, with where it comes from.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, report: &Report, matrix: &Matrix) -> Result<()> {
    write_with(path, report, None, matrix)
}

/// The same, with the machine whose kernel was asked as it is, if there is one.
///
/// # Errors
/// When it cannot be written.
pub fn write_with(path: &Path, report: &Report, machine: Option<&Machine>, matrix: &Matrix) -> Result<()> {
    let verdicts = races::sentences(matrix);
    let record = Record { environment: report, machine, cells: &matrix.rows, verdicts };
    write_whole(path, &results::rows::lines(&record)?)
}
