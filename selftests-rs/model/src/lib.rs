// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explores every interleaving of a refresh, a gc strategy and a third flow over a model of a BPF hash map.
//!
//! A discipline or strategy is a list of [`dsl::Step`]s.

pub mod dsl;
mod program;

pub use program::Program;
