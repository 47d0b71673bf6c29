// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own selftests: built from the patched tree, run on the kernel with the series and on the base, compared
//! test by test. On another architecture ([`foreign`]) those of the series alone are run, on the kernel with it.

mod build;
mod compare;
pub mod foreign;
mod image;
mod parse;
mod plan;

pub use build::{TOOLS, get};
pub use compare::{Difference, Results, Row, compare};
pub use parse::rows;
pub use plan::{Step, longest, ours, script, steps};
