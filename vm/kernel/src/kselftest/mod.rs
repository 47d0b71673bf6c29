// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own selftests: built from the patched tree, run on the kernel with the series and on the base, compared
//! test by test. On another architecture ([`foreign`]) those of the series alone are run, on the kernel with it.

pub mod build;
pub mod compare;
pub mod foreign;
pub mod image;
pub mod parse;
pub mod plan;
