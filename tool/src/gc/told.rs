// SPDX-License-Identifier: MIT OR Apache-2.0
//! The list of `--keys`, as it is printed, and what comes of a full disk: nothing is deleted after the batch that could not be told.

use std::cell::RefCell;

use crate::outcome::Failure;
use crate::output::{cannot_write, write};

/// Whether all that was told could be written.
#[derive(Debug, Default)]
pub struct Told(RefCell<Option<String>>);

impl Told {
    /// Prints a line, unless one before it could not be written.
    pub fn tell(&self, line: &str) {
        if self.is_lost() {
            return;
        }
        if let Err(why) = write(line.as_bytes()) {
            let why = cannot_write(&why);
            *self.0.borrow_mut() =
                Some(format!("{why}, so no more is deleted, and the list of keys is not whole"));
        }
    }

    /// Whether a line could not be written.
    pub fn is_lost(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// # Errors
    /// A line could not be written.
    pub fn all(&self) -> Result<(), Failure> {
        self.0.borrow_mut().take().map_or(Ok(()), |why| Err(Failure::other(why)))
    }
}
