// SPDX-License-Identifier: MIT OR Apache-2.0
//! A layout to test against.

#[path = "../tests/common/btf.rs"]
mod btf;

pub use btf::{CONNTRACK_ID, conntrack_btf};

use crate::layout::{Layout, Place};

/// The id of `struct flow`, a key with padding: the type after `struct ct`.
pub const FLOW_ID: u32 = CONNTRACK_ID + 1;

/// The layout of `struct ct`.
pub fn conntrack() -> Layout {
    Layout::new(&conntrack_btf(), CONNTRACK_ID).unwrap()
}

/// Offset and size.
pub fn place(place: Result<Place, String>) -> (usize, usize) {
    let place = place.unwrap();
    (place.offset, place.size)
}
