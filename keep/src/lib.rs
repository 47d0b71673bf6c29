// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deletes what has expired from a BPF hash map, and nothing that a packet has refreshed in the meantime.
//!
//! It does so in one of two ways, and never by a plain delete:
//!
//! - under stripes, on any kernel from 6.1 on, where the datapath takes them (`include/keep/half-life.h`);
//! - else by compare-and-delete (`BPF_F_COMPARE`), where the kernel and the map have it, beside a datapath that refreshes by
//!   update (`bpf_map_update_elem()`): a store through a pointer can fall between the kernel's comparison and its delete.
//!
//! ```no_run
//! # use std::os::fd::AsFd;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let map = cmpdel_uapi::map_pinned("/sys/fs/bpf/ct4")?;
//! let stripes = cmpdel_uapi::map_pinned("/sys/fs/bpf/keep_stripes")?;
//! let field = keep::Field::unsigned(32, 4);
//! let mut collector = keep::Plan::new(map.as_fd(), field).stripes(stripes.as_fd()).open()?;
//! let now = 1_000;
//! let round = collector.round(now, |key, outcome| println!("{key:02x?}: {outcome:?}"))?;
//! println!("{} deleted, {} kept", round.deleted, round.kept);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "stripes")]
mod call;
mod collector;
mod compare;
mod error;
mod field;
mod plan;
mod round;
#[cfg(feature = "stripes")]
mod striped;
pub mod table;
#[cfg(feature = "stripes")]
mod users;

pub use collector::Collector;
pub use error::Error;
pub use field::{Field, Order};
pub use plan::{Means, Plan};
pub use round::{Outcome, Round};
#[cfg(feature = "stripes")]
pub use striped::can_turn_interrupts_off;

/// The folder of the headers for datapaths, to be given to clang with `-I`.
pub const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include");
