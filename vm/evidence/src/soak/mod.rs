// SPDX-License-Identifier: MIT OR Apache-2.0
//! A soak: what the lab said of hours of everything at once, and whether memory stayed what it was.

mod judge;
mod listen;
mod table;
mod trend;

pub use self::{
    judge::{Besides, Judgement, judge},
    listen::Heard,
    table::table,
    trend::{Trend, Verdict, trends},
};
