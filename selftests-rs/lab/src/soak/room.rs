// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a cell has to leave behind once nobody is at work on it: room for as many entries as before, and no stripe held. A
//! packet that can open no flow loses none, so that no oracle would notice.

use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result, bail};
use cmpdel_uapi_raw::{Batch, Elements, Errno, Snapshot, WHOLE_ATTR};

use super::board::Page;
use crate::datapath::{Datapath, MapKind, key_of};
use crate::stress;

/// Stripes of any datapath, at most.
const STRIPES: u32 = 1 << 16;

/// Looks for both.
///
/// # Errors
/// The kernel's.
pub fn judge(datapath: &Datapath, page: &Page) -> Result<()> {
    stress::clear(datapath)?;
    // An LRU map makes room, and elsewhere an element counts for a moment after it is gone.
    if datapath.settings().map == MapKind::Hash && datapath.generations().is_none() {
        let entries = datapath.settings().entries;
        let made = fill(datapath, entries)?;
        page.lost("room for entries", (entries - made).into());
        page.did("entries that found room", made.into());
        stress::clear(datapath)?;
    }
    page.lost("stripes let go of", held(datapath)?);
    Ok(())
}

/// How many find room.
fn fill(datapath: &Datapath, entries: u32) -> Result<u32> {
    let elements = Elements::new(datapath.map("ct4")?).context("cannot use the map under test")?;
    let keys: Vec<u8> = (0..entries).flat_map(key_of).collect();
    let values = vec![0; elements.value_size() * entries as usize];
    let batch = Batch::plain(elements.fd().as_raw_fd(), &keys, entries).updating(&values).send(WHOLE_ATTR);
    match batch.answer {
        Ok(()) | Err(Errno(libc::E2BIG)) => Ok(batch.count),
        Err(errno) => bail!("cannot fill the map under test: {errno}"),
    }
}

/// How many stripes are held.
fn held(datapath: &Datapath) -> Result<u64> {
    let Ok(stripes) = datapath.map("keep_stripes") else { return Ok(0) };
    let stripes = Elements::new(stripes).context("cannot use the stripes")?;
    let mut snapshot = Snapshot::default();
    stripes.look_up_batch(None, STRIPES, &mut snapshot).context("cannot read the stripes")?;
    let is_held = |stripe: &[u8]| stripe.first_chunk().is_some_and(|word| u32::from_ne_bytes(*word) != 0);
    Ok(snapshot.entries(&stripes).filter(|(_, stripe)| is_held(stripe)).count() as u64)
}
