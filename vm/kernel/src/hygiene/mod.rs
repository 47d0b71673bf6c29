// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a maintainer would look at before reading a series.

pub mod checkpatch;
pub mod mails;
pub mod warnings;
