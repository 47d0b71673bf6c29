// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bench: guests in which instructions are counted, the rows that come of it, and what is compared with what.

mod compare;
mod listen;
mod profile;
mod ratios;
mod run;
mod table;

pub use self::{
    compare::{PRECISION, repeat_difference},
    listen::Heard,
    ratios::ratios,
    run::{Benches, Part, Ran, no_contention},
    table::tables,
};
