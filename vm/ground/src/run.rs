// SPDX-License-Identifier: MIT OR Apache-2.0
//! What commands and locks have to know of the run that they are part of.

use std::path::PathBuf;

use anyhow::Result;

/// A run, as seen from what it starts and what it waits for.
pub trait Run {
    /// Told of a command before it starts, as one could type it.
    fn starts(&self, line: &str);

    /// Told of a line that a command said.
    fn says(&self, line: &str);

    /// Told of another run that holds what this one needs.
    fn waits(&self, text: &str);

    /// The log of this name.
    fn log(&self, name: &str) -> PathBuf;

    /// The folder of locks, made if need be.
    ///
    /// # Errors
    /// When it cannot be made.
    fn locks(&self) -> Result<PathBuf>;

    /// Errs once the run was interrupted or its time is over.
    ///
    /// # Errors
    /// Which of the two.
    fn still_wanted(&self) -> Result<()>;
}
