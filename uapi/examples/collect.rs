// SPDX-License-Identifier: MIT OR Apache-2.0
//! Deletes every entry whose 64-bit time stamp is too low, unless it is refreshed meanwhile: `collect PATH OFFSET THRESHOLD`.
//!
//! `PATH` is a hash map pinned in a bpffs; the stamp is at `OFFSET` of its values.

use std::os::fd::AsFd as _;

use cmpdel_uapi::{Map, Outcome, Snapshot, map_pinned};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, offset, threshold] = args.as_slice() else {
        return Err("collect PATH OFFSET THRESHOLD".into());
    };
    let (offset, threshold): (u32, u64) = (offset.parse()?, threshold.parse()?);

    let fd = map_pinned(path)?;
    let map = Map::new(fd.as_fd())?;
    let expired = |value: &[u8]| {
        let stamp = value.get(offset as usize..).and_then(<[u8]>::first_chunk);
        stamp.is_some_and(|stamp| u64::from_ne_bytes(*stamp) < threshold)
    };
    let (mut walk, mut snapshot) = (map.walk(256)?, Snapshot::default());
    let (mut deleted, mut refreshed) = (0, 0);
    while walk.next_into(&mut snapshot)? {
        snapshot.retain(|_key, value| expired(value));
        let batch = map.delete_batch_if_eq(snapshot.keys(), snapshot.values(), offset..offset + 8)?;
        deleted += batch.count(Outcome::Deleted);
        refreshed += batch.count(Outcome::Mismatch);
        if let Some(error) = batch.ended {
            return Err(error.into());
        }
    }
    println!("{deleted} deleted, {refreshed} refreshed since: they live on");
    Ok(())
}
