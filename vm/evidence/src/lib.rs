// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was said of the races, of costs and of soaks: taken in, put together, held against each other, judged, and shown in tables.
//!
//! It must never know how a kernel is built, nor decide what is booted: it only takes in what guests say. Nor the page.

pub mod bench;
pub mod races;
pub mod soak;
pub mod time;
