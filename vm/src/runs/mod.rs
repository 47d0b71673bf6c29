// SPDX-License-Identifier: MIT OR Apache-2.0
//! What runs of the lab are made of, each with a machine and a kernel: races and bench in guests, and races on this machine's
//! own kernel.

pub mod bench;
mod follow;
pub mod lab;
pub mod native;
pub mod races;
pub mod soak;
mod stock;
