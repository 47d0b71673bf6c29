// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adds to a 64-bit counter in a value, without a lost update: `update PATH KEY OFFSET N`.
//!
//! `PATH` is a hash map pinned in a bpffs, `KEY` is in hex; the counter is at `OFFSET`. Other programs may update the entry
//! meanwhile: then it is looked at again.

use std::os::fd::AsFd as _;

use cmpdel_uapi::{MAX_WINDOW, Map, Updated, Window, map_pinned};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, key, offset, more] = args.as_slice() else { return Err("update PATH KEY OFFSET N".into()) };
    let key = u128::from_str_radix(key, 16)?.to_be_bytes();
    let (offset, more): (usize, u64) = (offset.parse()?, more.parse()?);

    let fd = map_pinned(path)?;
    let map = Map::new(fd.as_fd())?;
    if map.info().value_size > MAX_WINDOW {
        return Err("the whole value is compared here, and it is too long for that".into());
    }
    let (rest, key) = key.split_at(16_usize.saturating_sub(map.info().key_size as usize));
    if rest.iter().any(|byte| *byte != 0) {
        return Err("the keys of this map are shorter".into());
    }
    loop {
        let Some(seen) = map.lookup(key)? else { return Err("there is no such key".into()) };
        let mut value = seen.clone();
        let counter = value.get_mut(offset..).and_then(<[u8]>::first_chunk_mut).ok_or("beyond the value")?;
        *counter = u64::from_ne_bytes(*counter).wrapping_add(more).to_ne_bytes();
        match map.update_if_eq(key, &value, Window::whole(&seen))? {
            Updated::Replaced => return Ok(()),
            Updated::Mismatch => {}
            Updated::Absent => return Err("somebody else removed it".into()),
        }
    }
}
