// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of stripes: the map `keep_stripes` of a datapath (`include/keep/stripes.h`).

use std::os::fd::BorrowedFd;

use cmpdel_uapi::{Map, map_type_name};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::Error;

/// Bytes of a stripe: a cache line.
const STRIPE: usize = 64;
/// As `KEEP_MAGIC`.
const MAGIC: u32 = 0x4b45_4550;

/// A table that has been set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Stripes in it.
    pub count: u32,
    /// Of the hash that chooses them.
    pub seed: u64,
}

/// A seed that nobody can guess.
#[must_use]
pub fn random_seed() -> u64 {
    fastrand::u64(1..)
}

/// Writes `seed` to each stripe: once, before any program runs that takes one. A table that has been set up with the same seed
/// is left alone.
///
/// # Errors
/// [`Error::NotStripes`]; [`Error::OtherSeed`]; what the kernel says.
pub fn set_up(stripes: BorrowedFd<'_>, seed: u64) -> Result<(), Error> {
    let map = Map::new(stripes)?;
    check(&map)?;
    match read(&map)? {
        Some(table) if table.seed == seed => return Ok(()),
        Some(_) => return Err(Error::OtherSeed),
        None => {}
    }
    let mut stripe = [0; STRIPE];
    stripe[4..8].copy_from_slice(&MAGIC.to_ne_bytes());
    stripe[8..16].copy_from_slice(&seed.to_ne_bytes());
    let count = map.info().max_entries;
    let keys: Vec<u8> = (0..count).flat_map(u32::to_ne_bytes).collect();
    let values = stripe.repeat(count as usize);
    handle(&map)?
        .update_batch(&keys, &values, count, MapFlags::ANY, MapFlags::ANY)
        .map_err(|error| Error::Run(format!("the table of stripes cannot be written: {error}")))
}

/// What a table was set up with.
///
/// # Errors
/// [`Error::NotStripes`], also where it has not been set up; what the kernel says.
pub fn open(stripes: BorrowedFd<'_>) -> Result<Table, Error> {
    let map = Map::new(stripes)?;
    check(&map)?;
    read(&map)?.ok_or(Error::NotStripes("it has not been set up, so no datapath takes stripes of it"))
}

fn check(map: &Map<'_>) -> Result<(), Error> {
    let info = map.info();
    if map_type_name(info.map_type) != "array" {
        return Err(Error::NotStripes("it is no array"));
    }
    if info.value_size as usize != STRIPE || info.key_size != 4 {
        return Err(Error::NotStripes("its values are no stripes of 64 bytes"));
    }
    Ok(())
}

fn read(map: &Map<'_>) -> Result<Option<Table>, Error> {
    let line = handle(map)?.lookup(&0_u32.to_ne_bytes(), MapFlags::ANY);
    let line = line.map_err(|error| Error::Run(format!("the table of stripes cannot be read: {error}")))?;
    let line = line.unwrap_or_default();
    let (Some(magic), Some(seed)) = (line.get(4..8), line.get(8..16)) else {
        return Ok(None);
    };
    let seed = u64::from_ne_bytes(seed.try_into().unwrap_or_default());
    let is_set_up = magic == MAGIC.to_ne_bytes();
    Ok(is_set_up.then_some(Table { count: map.info().max_entries, seed }))
}

fn handle(map: &Map<'_>) -> Result<MapHandle, Error> {
    MapHandle::from_map_id(map.info().id)
        .map_err(|error| Error::Run(format!("the table of stripes cannot be opened: {error}")))
}
