// SPDX-License-Identifier: MIT OR Apache-2.0
//! The datapath of the example and the collector of this crate, on the kernel that this runs on. Needs root; without, each
//! test says `skipped:` and why.

// A test's helper fails as the test does.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "native/bare.rs"]
mod bare;
#[path = "native/condition.rs"]
mod condition;
#[path = "../examples/rig/datapath.rs"]
mod datapath;
#[path = "native/deletes.rs"]
mod deletes;
#[path = "native/examples.rs"]
mod examples;
#[path = "native/fields.rs"]
mod fields;
#[path = "native/follows.rs"]
mod follows;
#[path = "native/frames.rs"]
mod frames;
#[path = "native/full.rs"]
mod full;
#[path = "native/headers.rs"]
mod headers;
#[path = "native/held.rs"]
mod held;
#[path = "native/killed.rs"]
mod killed;
#[path = "native/listed.rs"]
mod listed;
#[path = "native/losses.rs"]
mod losses;
#[path = "native/many.rs"]
mod many;
#[path = "native/missed.rs"]
mod missed;
#[path = "native/mix.rs"]
mod mix;
#[path = "native/opens.rs"]
mod opens;
#[path = "native/refused.rs"]
mod refused;
#[path = "native/rhash.rs"]
mod rhash;
#[path = "native/rig.rs"]
mod rig;
#[path = "native/traffic.rs"]
mod traffic;
#[path = "native/two.rs"]
mod two;
#[path = "native/vanished.rs"]
mod vanished;
