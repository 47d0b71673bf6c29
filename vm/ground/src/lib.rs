// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every step stands on: commands and what they say, one stream of events and its views, the cache, locks, room on
//! the disk, tools and packages, and the three ways in which a command ends.
//!
//! It must never know this project: no series, no approach, no folder of the repository. What it needs of that, as the
//! name of the cache's folder, comes as a [`context::Project`]. Kernels and guests are no business of it either.

pub mod apt;
pub mod cache;
pub mod context;
pub mod events;
pub mod exec;
pub mod hash;
pub mod lock;
pub mod outcome;
pub mod place;
pub mod run;
pub mod space;
pub mod tool;
pub mod tools;
pub mod view;
