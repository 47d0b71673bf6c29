// SPDX-License-Identifier: MIT OR Apache-2.0
//! The races: three kinds of evidence, put together in one matrix, held against each other, and shown.

mod agree;
mod connected;
mod explored;
mod grid;
mod host;
mod judge;
mod kept;
mod listen;
mod matrix;
mod native;
mod row;
mod run;
mod schedule;
mod sentence;
mod stock;
mod table;

#[cfg(test)]
pub mod made_up;

#[allow(unused_imports, reason = "the report shows them")]
pub use self::row::Disturbed;
pub use self::{
    agree::{below, figure, preempts_packets},
    grid::{Look, tables},
    host::{Machine, why_not},
    kept::Kept,
    matrix::Matrix,
    native::Options,
    row::{Row, per_million},
    run::{Asked, Races},
    sentence::{Verdict, sentences, verdict},
    table::legend,
};
