// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explores every interleaving of a refresh, a gc strategy and a third flow over a model of a BPF hash map.
//!
//! A discipline or strategy is a list of [`dsl::Step`]s, made a [`Program`]; a [`Lab`] runs one of each against a map.
//! Actors of a schedule, in which A is the flow whose entry is refreshed and collected:
//! `packet` and, after it on the same CPU, `again` (or `packet2`, on another CPU at once); `next`, A's
//! packet that does nothing but look; `gc` and `gc2`; `agent`, who follows no protocol; `other`, the flow B, and `lru`, the
//! map that evicts; `tick`, the clock. The first line, of the actor [`START`], says how things are at the beginning; a line
//! called `drain` is a store buffer's, and one whose name ends as [`dsl::INSIDE`] says is within the call before it.

mod agent;
mod calls;
pub mod dsl;
mod element;
mod explore;
mod fingerprint;
mod look;
mod machine;
mod map;
mod needs;
mod other;
mod program;
mod rules;
mod run;
mod scenario;
mod schedule;
mod seen;
mod state;
#[cfg(test)]
mod tests;
mod through;
mod turns;
mod undisturbed;
mod update;

pub use explore::Lab;
pub use map::Recycling;
pub use program::Program;
pub use scenario::{Scenario, Start, Steering};
pub use schedule::START;
pub use undisturbed::undisturbed;
