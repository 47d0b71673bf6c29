// SPDX-License-Identifier: MIT OR Apache-2.0
//! A datapath for the bench: its maps are the same each time, and no oracle listens to it.

use std::ops::Range;
use std::os::fd::AsFd as _;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Elements, Errno};
use libbpf_rs::OpenMapMut;

use super::Not;
use crate::arena::{self, Opened, table};
use crate::claims::Counted;
use crate::datapath::{Datapath, MapKind, Packet, Prepare as _, Settings, key_of};
use crate::layout::{BURST, Kind, Outcome};
use crate::load::Denied;

/// To open a flow, and how long after the last time.
const TRIES: u32 = 50;
const SOON: Duration = Duration::from_millis(1);
/// Timers do not fire while something else is timed.
const NEVER: u64 = 3600 * 1_000_000_000;

/// A datapath, and how its entries are taken away.
pub enum Track {
    /// On maps of entries.
    Maps(Datapath),
    /// On the table in an arena, whose size is its own.
    Arena(Opened),
}

/// Has a map of the workload be of that type and size. Its hash has no seed, so that its buckets are the same each time.
///
/// # Errors
/// libbpf's.
pub fn of_entries(open: &mut OpenMapMut<'_>, map: MapKind, entries: u32) -> Result<()> {
    map.prepare(open, entries)?;
    let (_, flags) = map.abi()?;
    // One that grows refuses that.
    let seedless = if map == MapKind::Rhash { 0 } else { abi::BPF_F_ZERO_SEED };
    Ok(open.set_map_flags(flags | seedless)?)
}

/// Without what the oracle alone wants to know.
fn settings(map: MapKind, entries: u32) -> Settings {
    Settings { oracle: false, stamped: false, interval: NEVER, ..Settings::new(map, entries) }
}

/// Loads the datapath of that name for the bench, with so many entries in the one map that bursts use.
///
/// # Errors
/// [`Denied`].
pub fn load(object: &str, map: MapKind, entries: u32, others: u32) -> Result<Datapath, Denied> {
    let settings = settings(map, entries);
    Datapath::open(Datapath::object(object, map)?, settings, |name, open| match name {
        "ct4" => of_entries(open, map, entries),
        "ct6" | "snat4" | "snat6" => of_entries(open, map, others),
        _ => Ok(()),
    })
}

impl Track {
    /// Opens the datapath of that name.
    ///
    /// # Errors
    /// [`Not::Here`] where the kernel refuses it.
    pub fn open(object: &str, map: MapKind, entries: u32) -> Result<Self, Not> {
        if map == MapKind::Arena {
            return Ok(Self::Arena(arena::open(settings(MapKind::Hash, entries))?));
        }
        Ok(Self::Maps(load(object, map, entries, entries)?))
    }

    /// The datapath.
    pub fn datapath(&self) -> &Datapath {
        match self {
            Self::Maps(datapath) | Self::Arena(Opened { datapath, .. }) => datapath,
        }
    }

    /// Opens these flows, as their first packets do, through a lane. One for which there was no memory tries again.
    ///
    /// # Errors
    /// [`Not::Broken`] if one was there.
    pub fn open_flows(&self, lane: usize, flows: Range<u32>) -> Result<(), Not> {
        let mut packets: Vec<Packet> = flows.map(|flow| Packet { flow, kind: Kind::Open }).collect();
        for _ in 0..TRIES {
            let (mut short, mut others) = (Vec::new(), Vec::new());
            for burst in packets.chunks(BURST) {
                self.datapath().burst(lane, burst, |handled| match handled.outcome {
                    Outcome::Created => {}
                    Outcome::Failed if handled.errno == libc::ENOMEM => short.push(handled.packet),
                    _ => others.push(handled),
                })?;
            }
            if let Some(first) = others.first() {
                return Err(Not::Broken(format!("{} flows were not opened: {first:?}", others.len())));
            }
            if short.is_empty() {
                return Ok(());
            }
            packets = short;
            thread::sleep(SOON);
        }
        Err(Not::Here(format!("the kernel had no memory for {} of the flows (ENOMEM)", packets.len())))
    }

    /// Takes away the first `flows`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn empty(&self, flows: u32) -> Result<(), Not> {
        match self {
            Self::Maps(datapath) => {
                for map in datapath.tables()? {
                    let elements = Elements::new(map.as_fd())?;
                    for flow in 0..flows {
                        match elements.delete(&key_of(flow)) {
                            Ok(()) | Err(Errno(libc::ENOENT)) => {}
                            Err(errno) => return Err(errno.into()),
                        }
                    }
                }
            }
            Self::Arena(Opened { table, .. }) => {
                table::collect(&table.0, u32::MAX, &mut Counted::default());
            }
        }
        Ok(())
    }
}
