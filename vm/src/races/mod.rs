// SPDX-License-Identifier: MIT OR Apache-2.0
//! The races: three kinds of evidence, put together in one matrix, held against each other, and shown.

mod agree;
mod connected;
mod judge;
mod listen;
mod matrix;
mod run;
mod schedule;
mod sentence;
mod table;

#[cfg(test)]
mod made_up;

pub use self::{
    matrix::{Matrix, Row},
    run::{Asked, Races},
    sentence::sentences,
    table::{Look, legend, tables},
};
