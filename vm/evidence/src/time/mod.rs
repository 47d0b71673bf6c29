// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was said of holds, stops and steps of clocks, and what has to be true of it.

mod hold;
mod judge;
mod listen;
mod others;
mod table;

pub use self::{
    judge::judge,
    listen::{Heard, Seen},
    table::table,
};
