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
pub mod made_up;

pub use self::{
    agree::{below, figure},
    matrix::{Matrix, Row, per_million},
    run::{Asked, Races},
    sentence::{Verdict, sentences, verdict},
    table::{Look, legend, tables},
};
