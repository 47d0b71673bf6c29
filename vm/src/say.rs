// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a command prints on standard output beyond what it reports.

use std::{
    fmt,
    io::{self, ErrorKind, Write as _},
};

use anyhow::{Context, Result};

/// Prints a line. A reader that went away, as `| head` does, changes nothing about what happens.
///
/// # Errors
/// What was said cannot be kept where it goes, as on a disk that is full.
pub fn say_line(line: fmt::Arguments<'_>) -> Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// [`say_line`], with the arguments of `println!`.
macro_rules! say {
    ($($line:tt)*) => {
        $crate::say::say_line(format_args!($($line)*))
    };
}
pub(crate) use say;
