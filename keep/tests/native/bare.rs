// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maps without a datapath, for what is asked of the collector alone.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use cmpdel_uapi_raw::{self as raw, Create, Elements};
use keep::table::set_up;

pub const HASH: u32 = 1;
pub const ARRAY: u32 = 2;
pub const ENTRIES: u32 = 256;

/// A map of that type and of these sizes.
pub fn map(map_type: u32, key_size: u32, value_size: u32, max_entries: u32) -> OwnedFd {
    let create = Create { map_type, key_size, value_size, max_entries, ..Create::default() };
    raw::map_create(&create).unwrap()
}

/// A table of stripes, set up. Its size is no power of two.
pub fn stripes() -> OwnedFd {
    let table = map(ARRAY, 4, 64, 37);
    set_up(table.as_fd(), 0x5eed).unwrap();
    table
}

/// All that a map holds.
pub fn contents(map: BorrowedFd<'_>, key_size: usize, value_size: usize) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let handle = cmpdel_uapi::Map::new(map).unwrap();
    let mut walk = handle.walk(ENTRIES).unwrap();
    let mut found = BTreeMap::new();
    let mut snapshot = cmpdel_uapi::Snapshot::default();
    while walk.next_into(&mut snapshot).unwrap() {
        found.extend(snapshot.entries().map(|(key, value)| (key.to_vec(), value.to_vec())));
    }
    assert!(found.iter().all(|(key, value)| (key.len(), value.len()) == (key_size, value_size)));
    found
}

/// Fills a map.
pub fn fill(map: BorrowedFd<'_>, entries: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let elements = Elements::new(map).unwrap();
    entries.iter().for_each(|(key, value)| elements.update(key, value, 0).unwrap());
}
