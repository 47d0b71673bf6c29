// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layouts to test against.

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

/// The layout of `struct tuple`: a union, bit-fields, network order.
pub fn tuple() -> Layout {
    Layout::new(&btf::tuple_btf(), btf::TUPLE_ID).unwrap()
}

/// The layout of `struct owner`: a text, network order, an integer at the end.
pub fn owner() -> Layout {
    Layout::new(&btf::tuple_btf(), btf::OWNER_ID).unwrap()
}

/// The layout of `__u64` alone.
pub fn number() -> Layout {
    Layout::new(&btf::tuple_btf(), btf::OWNER_ID - 1).unwrap()
}

/// Offset and size.
pub fn place(place: Result<Place, String>) -> (usize, usize) {
    let place = place.unwrap();
    (place.offset, place.size)
}
