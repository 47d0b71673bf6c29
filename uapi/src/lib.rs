// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare-and-delete and compare-and-update for BPF hash maps: deletes an entry, or gives it a new value, if, and only if, a
//! window of its value is what the caller last saw, compare and change being one critical section of the kernel
//! (`BPF_F_COMPARE`).
//!
//! ```no_run
//! use std::os::fd::AsFd;
//!
//! use cmpdel_uapi::{Map, Outcome, Window, map_pinned};
//!
//! let fd = map_pinned("/sys/fs/bpf/conntrack")?;
//! let map = Map::new(fd.as_fd())?;
//! let (key, lifetime) = ([0; 14], 42_u32.to_ne_bytes());
//! match map.delete_if_eq(&key, Window::at(32, &lifetime))? {
//!     Outcome::Deleted => println!("expired and gone"),
//!     Outcome::Mismatch => println!("refreshed since: kept"),
//!     Outcome::Absent => println!("somebody else removed it"),
//! }
//! # Ok::<(), cmpdel_uapi::Error>(())
//! ```
//!
//! An entry at a time is [`Map::delete_if_eq`], and [`Map::update_if_eq`] for a new value. A collector that goes through a whole
//! map takes a [`Walk`] of [`Snapshot`]s and gives what it wants gone of each to [`Map::delete_batch_if_eq`], at the price of two
//! system calls for hundreds of entries; [`Map::update_batch_if_eq`] is the same for new values. A window has [`MAX_WINDOW`]
//! bytes at most, and lies beside what the kernel manages in a value (timers, kptrs).
//!
//! # The promise
//! No argument to this crate leads to an unconditional delete or update, on any kernel. A kernel without the series reads the
//! flag and refuses, *unless* the attribute is passed too short to hold it: then it deletes. So the attribute is always
//! passed whole and zeroed, and no key is sent to a caller's map before this kernel was seen to keep and change as documented:
//! on a scratch map ([`probe()`], [`probe_map_type()`], [`probe_batch()`], [`probe_update()`], [`probe_update_batch()`]), or, where
//! none may be made, by what it says of the caller's own map to calls that point to no readable key.

// The one crate that speaks to the kernel; each block says why it is sound.
#![allow(unsafe_code)]

mod batch;
#[allow(
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    unsafe_op_in_unsafe_fn,
    unused_qualifications
)]
#[allow(clippy::all, clippy::undocumented_unsafe_blocks, clippy::semicolon_if_nothing_returned)]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, rustdoc::all)]
pub mod bindings;
mod change;
mod compare;
mod error;
mod map;
mod map_type;
mod objects;
mod probe;
mod scratch;
mod sys;
mod walk;
mod window;

pub use batch::BatchOutcome;
pub use compare::delete_if_eq;
pub use error::{Error, Kind};
pub use map::{Map, MapInfo};
pub use map_type::map_type_name;
pub use objects::{ProgramInfo, btf_by_id, map_by_id, map_pinned, next_map_id, programs};
pub use probe::{Support, probe, probe_batch, probe_map_type, probe_update, probe_update_batch};
pub use walk::{Snapshot, Walk};
pub use window::{MAX_WINDOW, Outcome, Updated, Window};
