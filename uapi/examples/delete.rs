// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deletes the entry that was looked at, unless it has changed since: `delete PATH KEY OFFSET SIZE`.
//!
//! `PATH` is a hash map pinned in a bpffs, `KEY` is in hex; the window is `SIZE` bytes of the value at `OFFSET`.

use std::os::fd::AsFd as _;

use cmpdel_uapi::{Map, Outcome, Window, map_pinned};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, key, offset, size] = args.as_slice() else { return Err("delete PATH KEY OFFSET SIZE".into()) };
    let key = u128::from_str_radix(key, 16)?.to_be_bytes();
    let (offset, size): (u32, usize) = (offset.parse()?, size.parse()?);

    let fd = map_pinned(path)?;
    let map = Map::new(fd.as_fd())?;
    let (rest, key) = key.split_at(16_usize.saturating_sub(map.info().key_size as usize));
    if rest.iter().any(|byte| *byte != 0) {
        return Err("the keys of this map are shorter".into());
    }
    let Some(seen) = map.lookup(key)? else { return Err("there is no such key".into()) };
    let expected = seen.get(offset as usize..).and_then(|rest| rest.get(..size)).ok_or("beyond the value")?;
    // Whatever happens to the entry between here and the call, a newer one is not deleted.
    match map.delete_if_eq(key, Window::at(offset, expected))? {
        Outcome::Deleted => println!("deleted"),
        Outcome::Mismatch => println!("refreshed since: it lives on"),
        Outcome::Absent => println!("somebody else removed it"),
    }
    Ok(())
}
