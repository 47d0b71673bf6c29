// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a cell has to leave behind once nobody is at work on it: room for as many entries as before, and no stripe held. A
//! packet that can open no flow loses none, so that no oracle would notice.

use std::os::fd::AsRawFd as _;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cmpdel_uapi::Map;
use cmpdel_uapi_raw::{Batch, Elements, Errno, Snapshot, WHOLE_ATTR};

use super::board::Page;
use crate::datapath::{Datapath, MapKind, memory_of};
use crate::stress;

/// For elements that count for a moment after they are gone.
const PATIENCE: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// Empties the maps of those names and looks for both.
///
/// # Errors
/// The kernel's.
pub fn judge(datapath: &Datapath, maps: &[&str], page: &Page) -> Result<()> {
    stress::clear(datapath)?;
    if datapath.generations().is_none() {
        let entries = wanted(datapath);
        for map in maps {
            let elements = Elements::new(datapath.map(map)?).context("cannot use the map under test")?;
            let made = room(&elements, entries)?;
            page.lost("room for entries", entries.saturating_sub(made).into());
            page.did("entries that found room", made.into());
        }
    }
    if tells_bytes(datapath) {
        page.bytes.store(memory_of(datapath.map("ct4")?)?, Relaxed);
    }
    page.lost("stripes let go of", held(datapath)?);
    Ok(())
}

/// Of other maps the kernel tells what they were made for, whatever becomes of their elements.
pub fn tells_bytes(datapath: &Datapath) -> bool {
    datapath.settings().map == MapKind::HashNoPrealloc
}

/// How many entries there has to be room for.
fn wanted(datapath: &Datapath) -> u32 {
    let entries = datapath.settings().entries;
    match datapath.settings().map {
        // It keeps free elements for each CPU, and evicts when those are gone.
        MapKind::LruHash => entries / 2,
        // It takes no batches.
        MapKind::Rhash => 0,
        _ => entries,
    }
}

/// How many find room.
fn room(elements: &Elements<'_>, entries: u32) -> Result<u32> {
    let mut made = 0;
    for _ in 0..PATIENCE {
        made = fill(elements, entries)?;
        if made == entries {
            break;
        }
        thread::sleep(PAUSE);
    }
    Ok(made)
}

/// Makes that many entries, of which some may be evicted by others, and removes them: how many there were.
fn fill(elements: &Elements<'_>, entries: u32) -> Result<u32> {
    let key = |number: u32| {
        let mut key = vec![0; elements.key_size()];
        key[..4].copy_from_slice(&number.to_ne_bytes());
        key
    };
    let keys: Vec<u8> = (0..entries).flat_map(key).collect();
    let values = vec![0; elements.value_size() * entries as usize];
    if !keys.is_empty() {
        let batch =
            Batch::plain(elements.fd().as_raw_fd(), &keys, entries).updating(&values).send(WHOLE_ATTR);
        match batch.answer {
            Ok(()) | Err(Errno(libc::E2BIG)) => {}
            Err(errno) => bail!("cannot fill the map under test: {errno}"),
        }
    }
    let mut there = 0;
    for key in keys.chunks_exact(elements.key_size()) {
        match elements.delete(key) {
            Ok(()) => there += 1,
            Err(Errno(libc::ENOENT)) => {}
            Err(errno) => bail!("cannot empty the map under test: {errno}"),
        }
    }
    Ok(there)
}

/// How many stripes are held.
fn held(datapath: &Datapath) -> Result<u64> {
    let Ok(map) = datapath.map("keep_stripes") else { return Ok(0) };
    let room = Map::new(map).context("cannot use the stripes")?.info().max_entries;
    let stripes = Elements::new(map).context("cannot use the stripes")?;
    let mut snapshot = Snapshot::default();
    stripes.look_up_batch(None, room, &mut snapshot).context("cannot read the stripes")?;
    let is_held = |stripe: &[u8]| stripe.first_chunk().is_some_and(|word| u32::from_ne_bytes(*word) != 0);
    Ok(snapshot.entries(&stripes).filter(|(_, stripe)| is_held(stripe)).count() as u64)
}

#[cfg(test)]
mod tests {
    use approaches::Refresh;

    use super::*;
    use crate::datapath::Settings;
    use crate::load::or_skipped;

    /// `None` where this may load no datapath.
    fn datapath(map: MapKind) -> Option<Datapath> {
        or_skipped(Datapath::load(&Refresh::HalfLifeStripe.to_string(), Settings::new(map, 2048)))
    }

    #[test]
    fn nothing_is_missing_where_nobody_was() {
        for map in [MapKind::Hash, MapKind::HashNoPrealloc, MapKind::LruHash] {
            let Some(datapath) = datapath(map) else { return };
            let page = Page::of("a");
            judge(&datapath, &["ct4", "ct6"], &page).unwrap();
            assert_eq!(page.end(None).losses, std::collections::BTreeMap::new(), "{map}");
        }
    }

    #[test]
    fn a_stripe_that_is_held_is_found() {
        let Some(datapath) = datapath(MapKind::Hash) else { return };
        let stripes = Elements::new(datapath.map("keep_stripes").unwrap()).unwrap();
        let mut stripe = vec![0; stripes.value_size()];
        let last = Map::new(stripes.fd()).unwrap().info().max_entries - 1;
        stripes.look_up(&last.to_ne_bytes(), &mut stripe, 0).unwrap();
        stripe[..4].copy_from_slice(&1_u32.to_ne_bytes());
        stripes.update(&last.to_ne_bytes(), &stripe, 0).unwrap();
        let page = Page::of("a");
        judge(&datapath, &["ct4"], &page).unwrap();
        assert_eq!(page.end(None).losses["stripes let go of"], 1);
    }

    #[test]
    fn room_that_is_gone_is_missed() {
        let Some(datapath) = datapath(MapKind::Hash) else { return };
        let elements = Elements::new(datapath.map("ct6").unwrap()).unwrap();
        let (foreign, value) = (vec![255; elements.key_size()], vec![0; elements.value_size()]);
        elements.update(&foreign, &value, 0).unwrap();
        assert_eq!(fill(&elements, 2048).unwrap(), 2047);
    }
}
