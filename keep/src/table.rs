// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of stripes: the map `keep_stripes` of a datapath (`include/keep/stripes.h`).

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::BorrowedFd;

use cmpdel_uapi::{Map, map_type_name};
use cmpdel_uapi_raw::{Elements, Errno};

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
    /// Which hash that is: `KEEP_HASH_ID`.
    pub hash: u32,
}

/// The hash of `include/keep/hash.h`.
pub const HASH: u32 = 1;

/// A seed that nobody can guess, from the kernel.
///
/// # Errors
/// There is no `/dev/urandom`.
pub fn random_seed() -> io::Result<u64> {
    let mut seed = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(u64::from_ne_bytes(seed))
}

/// Writes `seed` to each stripe: once, by one loader, before any program runs that takes one. A table that has been set up with
/// the same seed is left alone.
///
/// # Errors
/// [`Error::NotStripes`]; [`Error::OtherSeed`]; what the kernel says.
pub fn set_up(stripes: BorrowedFd<'_>, seed: u64) -> Result<(), Error> {
    set_up_for(stripes, seed, HASH)
}

/// The same for programs with a hash of their own, by its `KEEP_HASH_ID`.
///
/// # Errors
/// As of [`set_up`].
pub fn set_up_for(stripes: BorrowedFd<'_>, seed: u64, hash: u32) -> Result<(), Error> {
    let lines = Lines::of(stripes)?;
    let table = Table { count: lines.count, seed, hash };
    match lines.read(0)? {
        Some(other) if other != table => return Err(Error::OtherSeed),
        Some(_) => return Ok(()),
        None => {}
    }
    let mut stripe = [0; STRIPE];
    stripe[4..8].copy_from_slice(&MAGIC.to_ne_bytes());
    stripe[8..16].copy_from_slice(&seed.to_ne_bytes());
    stripe[16..20].copy_from_slice(&hash.to_ne_bytes());
    stripe[20..24].copy_from_slice(&lines.count.to_ne_bytes());
    // The first one last: whoever finds it finds all of them.
    for number in (0..lines.count).rev() {
        lines.elements.update(&number.to_ne_bytes(), &stripe, 0).map_err(failed("written"))?;
    }
    // Another loader at the same time would have left some of its own.
    if lines.table()? == table { Ok(()) } else { Err(Error::OtherSeed) }
}

/// What a table was set up with.
///
/// # Errors
/// [`Error::NotStripes`], also where it has not been set up; what the kernel says.
pub fn open(stripes: BorrowedFd<'_>) -> Result<Table, Error> {
    Lines::of(stripes)?.table()
}

/// The stripes of a map that looks like a table of them.
struct Lines<'a> {
    elements: Elements<'a>,
    count: u32,
}

impl<'a> Lines<'a> {
    fn of(stripes: BorrowedFd<'a>) -> Result<Self, Error> {
        let map = Map::new(stripes)?;
        let info = map.info();
        if map_type_name(info.map_type) != "array" {
            return Err(Error::NotStripes("it is no array"));
        }
        if info.value_size as usize != STRIPE || info.key_size != 4 {
            return Err(Error::NotStripes("its values are no stripes of 64 bytes"));
        }
        let elements = Elements::new(stripes).map_err(failed("opened"))?;
        Ok(Self { elements, count: info.max_entries })
    }

    /// What a stripe says, if it was set up.
    fn read(&self, number: u32) -> Result<Option<Table>, Error> {
        let mut stripe = [0; STRIPE];
        self.elements.look_up(&number.to_ne_bytes(), &mut stripe, 0).map_err(failed("read"))?;
        let word = |at: usize| u32::from_ne_bytes(stripe[at..at + 4].try_into().unwrap_or_default());
        let seed = u64::from_ne_bytes(stripe[8..16].try_into().unwrap_or_default());
        Ok((word(4) == MAGIC).then_some(Table { count: word(20), seed, hash: word(16) }))
    }

    /// What all of them say.
    fn table(&self) -> Result<Table, Error> {
        let unset = Error::NotStripes("it has not been set up, so no datapath takes stripes of it");
        let first = self.read(0)?.ok_or(unset)?;
        if first.count != self.count {
            return Err(Error::NotStripes("it was set up for another number of stripes"));
        }
        for number in 1..self.count {
            if self.read(number)? != Some(first) {
                return Err(Error::NotStripes(
                    "its stripes do not say the same: was it set up by two loaders at once?",
                ));
            }
        }
        Ok(first)
    }
}

fn failed(what: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error::Run(format!("the table of stripes cannot be {what}: {errno}"))
}
