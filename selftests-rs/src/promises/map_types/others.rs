// SPDX-License-Identifier: MIT OR Apache-2.0
//! A map of every type that does not compare, with an entry where user space can make one, for calls that nothing may come of.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use libbpf_rs::{MapCore as _, MapHandle};

use super::{ROWS, Seen, fill, first_key, make, observe};

/// One of them.
pub struct Other {
    pub name: &'static str,
    pub value_size: u32,
    map: MapHandle,
    key: Vec<u8>,
    before: Seen,
    /// What its entry belongs to.
    _owner: Option<OwnedFd>,
}

impl Other {
    pub fn fd(&self) -> i32 {
        self.map.as_fd().as_raw_fd()
    }

    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// What has become of its entry, if that is something else than it was.
    pub fn changed(&self) -> Option<String> {
        let now = observe(&self.map, &self.key);
        (now != self.before).then(|| format!("the {} holds {now:?} instead of {:?}", self.name, self.before))
    }
}

/// As many as this kernel makes.
pub fn others() -> Vec<Other> {
    let made = ROWS.iter().filter(|row| row.since.is_none()).filter_map(|row| Some((row, make(row).ok()?)));
    made.map(|(row, map)| {
        let (key, owner) = fill(row, &map).unwrap_or_else(|_| (first_key(&map), None));
        let before = observe(&map, &key);
        let value_size = map.value_size();
        Other { name: row.name, value_size, map, key, before, _owner: owner }
    })
    .collect()
}
