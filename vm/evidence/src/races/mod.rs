// SPDX-License-Identifier: MIT OR Apache-2.0
//! The races: three kinds of evidence, put together in one matrix, held against each other, and shown.

mod agree;
mod connected;
pub mod explored;
mod gather;
mod grid;
mod host;
pub mod judge;
mod kept;
pub mod listen;
mod matrix;
mod rate;
mod release;
mod row;
mod schedule;
mod sentence;
mod table;
mod verdict;

#[cfg(any(test, feature = "made-up"))]
pub mod made_up;

pub use self::{
    grid::{Look, tables},
    host::{Machine, why_not},
    kept::Kept,
    matrix::Matrix,
    rate::{SEEN, Trials, below, figure, per_million, seen},
    release::preempts_packets,
    row::{Disturbed, Row},
    sentence::sentences,
    table::legend,
    verdict::{Verdict, verdict},
};
