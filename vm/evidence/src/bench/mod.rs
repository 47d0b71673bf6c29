// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bench: what guests in which instructions are counted say, and what is compared with what.

mod compare;
mod listen;
pub mod profile;
mod ratios;
mod table;

pub use self::{
    compare::{PRECISION, repeat_difference},
    listen::Heard,
    ratios::ratios,
    table::tables,
};
