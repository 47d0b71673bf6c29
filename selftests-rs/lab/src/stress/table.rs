// SPDX-License-Identifier: MIT OR Apache-2.0
//! The maps of a run: emptied before it, and read after it.

use std::collections::HashMap;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, anyhow};
use approaches::MapKind;
use cmpdel_uapi_raw::{Elements, Errno, Snapshot};

use super::FLOWS;
use crate::datapath::Datapath;
use crate::oracle::Left;
use crate::value::{backend_of, key_of};

/// Removes all entries, whoever they are of.
///
/// # Errors
/// The kernel's.
pub fn clear(datapath: &Datapath) -> Result<()> {
    for map in datapath.tables()? {
        let elements = Elements::new(map.as_fd()).context("cannot use the map under test")?;
        let mut snapshot = Snapshot::default();
        loop {
            let next = elements.look_up_batch(None, 16 * FLOWS, &mut snapshot);
            next.map_err(|errno| anyhow!("cannot list the entries to remove: {errno}"))?;
            if snapshot.count == 0 {
                break;
            }
            snapshot.entries(&elements).try_for_each(|(key, _)| remove(&elements, key))?;
        }
        // A list of it may have left some out.
        if datapath.settings().map == MapKind::Rhash {
            (0..datapath.settings().entries).try_for_each(|flow| remove(&elements, &key_of(flow)))?;
        }
    }
    Ok(())
}

fn remove(elements: &Elements<'_>, key: &[u8]) -> Result<()> {
    match elements.delete(key) {
        // There may be none, or a timer was faster.
        Ok(()) | Err(Errno(libc::ENOENT)) => Ok(()),
        Err(errno) => Err(anyhow!("cannot remove an entry: {errno}")),
    }
}

/// Which of so many flows are in the maps. Each is looked up: a list of an RHASH map leaves entries out while the table is resized
/// (`rhashtable_next_key`).
///
/// # Errors
/// The kernel's.
pub fn contents(datapath: &Datapath, flows: u32) -> Result<HashMap<u32, Left>> {
    let mut left = HashMap::new();
    // What is in several of them counts by the first.
    for map in datapath.tables()?.into_iter().rev() {
        let elements = Elements::new(map.as_fd()).context("cannot use the map under test")?;
        let mut value = vec![0; elements.value_size()];
        for flow in 0..flows {
            match elements.look_up(&key_of(flow), &mut value, 0) {
                Ok(()) => {
                    let (lifetime, backend) = (datapath.promised(&value), backend_of(&value));
                    left.insert(flow, Left { lifetime, backend });
                }
                Err(Errno(libc::ENOENT)) => {}
                Err(errno) => return Err(anyhow!("cannot read the map after the run: {errno}")),
            }
        }
    }
    Ok(left)
}
