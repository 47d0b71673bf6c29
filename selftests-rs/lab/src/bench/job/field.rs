// SPDX-License-Identifier: MIT OR Apache-2.0
//! The map that a round goes over: that of a datapath, full, with a share of its entries expired.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use anyhow::{Context as _, Result};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Errno, run_on_context};

use super::{Not, set};
use crate::collector::Target;
use crate::datapath::{Datapath, MapKind, Prepare as _, Settings, key_of};
use crate::layout::{TICK, VALUE_SIZE};
use crate::load::{BENCHES, DATAPATHS, Loaded, load, object};

/// What collectors judge by.
pub const CLOCK: u32 = 1000 * TICK;
const LIVE: u32 = 2000 * TICK;
const DUE: u32 = 10 * TICK;
/// Entries that are looked at after a round.
const LOOKS: u32 = 200;

/// How many of the flows `0..size` have expired: the first `share` of each hundred.
pub fn expired_of(size: u32, share: u32) -> u64 {
    u64::from(size / 100 * share + (size % 100).min(share))
}

/// The last map used: the next round may want the same.
#[derive(Default)]
pub struct Shelf(RefCell<Option<Field>>);

impl Shelf {
    /// Has `work` done on a field of that kind.
    ///
    /// # Errors
    /// Those of making one, and of the work.
    pub fn with<T>(
        &self,
        discipline: &'static str,
        entries: u32,
        work: impl FnOnce(&Field) -> Result<T, Not>,
    ) -> Result<T, Not> {
        let mut last = self.0.borrow_mut();
        let serves = |field: &Field| (field.discipline, field.entries) == (discipline, entries);
        if !last.as_ref().is_some_and(serves) {
            // The memory of the old one first.
            *last = None;
            *last = Some(Field::new(discipline, entries)?);
        }
        work(last.as_ref().context("a field that was just made is gone")?)
    }
}

/// A full map.
pub struct Field {
    /// The refresh discipline whose values it holds.
    pub discipline: &'static str,
    /// Entries in it, when it is full.
    pub entries: u32,
    datapath: Datapath,
    filler: Loaded,
}

impl Field {
    fn new(discipline: &'static str, entries: u32) -> Result<Self, Not> {
        let settings = Settings::new(MapKind::Hash, entries);
        let datapath = Datapath::open(object(DATAPATHS, discipline)?, settings, |map, open| {
            let room = match map {
                "ct4" => entries,
                "ct6" | "snat4" | "snat6" => 1,
                _ => return Ok(()),
            };
            MapKind::Hash.prepare(open, room)?;
            open.set_map_flags(abi::BPF_F_ZERO_SEED)?;
            Ok(())
        })?;
        set(datapath.control());
        let filler = on_map("fill", datapath.map("ct4")?)?;
        Ok(Self { discipline, entries, datapath, filler })
    }

    /// Puts all entries there, `share` of each hundred expired.
    ///
    /// # Errors
    /// The kernel's.
    pub fn fill(&self, share: u32) -> Result<(), Not> {
        let mut context: Vec<u8> = [0, self.entries, LIVE, DUE, share, 0]
            .iter()
            .flat_map(|field: &u32| field.to_ne_bytes())
            .collect();
        let answer = run_on_context(self.filler.program("fill")?, &mut context)?;
        let failed = context[20..24].try_into().map_or(u32::MAX, u32::from_ne_bytes);
        if (answer, failed) == (0, 0) {
            return Ok(());
        }
        Err(Not::Failed(anyhow::anyhow!("the map was not filled: {failed} updates failed")))
    }

    /// What collectors get.
    ///
    /// # Errors
    /// When a map is missing.
    pub fn target(&self) -> Result<Target<'_>> {
        self.datapath.target("ct4")
    }

    /// The walk in the kernel.
    ///
    /// # Errors
    /// The kernel's.
    pub fn walker(&self) -> Result<Loaded, Not> {
        on_map("walk", self.datapath.map("ct4")?)
    }

    /// Memory of the map, as the kernel accounts it.
    ///
    /// # Errors
    /// When procfs does not tell.
    pub fn map_bytes(&self) -> Result<u64> {
        let known = memory_of(self.datapath.map("ct4")?.as_raw_fd())?;
        known.map(|(_, bytes)| bytes).context("the kernel does not tell the memory of a map")
    }

    /// After a round that says to have removed so many: what has expired is gone, what has not is there.
    ///
    /// # Errors
    /// [`Not::Broken`].
    pub fn check(&self, share: u32, removed: u64) -> Result<(), Not> {
        let wanted = expired_of(self.entries, share);
        if removed != wanted {
            return Err(Not::Broken(format!("{removed} entries were removed where {wanted} had expired")));
        }
        let elements = self.target()?.elements()?;
        let mut value = [0; VALUE_SIZE];
        for flow in (0..self.entries).step_by((self.entries / LOOKS).max(1) as usize) {
            let there = match elements.look_up(&key_of(flow), &mut value, 0) {
                Ok(()) => true,
                Err(Errno(libc::ENOENT)) => false,
                Err(errno) => return Err(errno.into()),
            };
            if there == (flow % 100 < share) {
                return Err(Not::Broken(format!(
                    "flow {flow} is {}",
                    if there { "there although it had expired" } else { "gone although it had not expired" }
                )));
            }
        }
        Ok(())
    }
}

/// An object of the bench on a map of a datapath.
fn on_map(name: &str, map: BorrowedFd<'_>) -> Result<Loaded, Not> {
    let loaded = load(object(BENCHES, name)?, |section, open| {
        if section == "entries" {
            open.reuse_fd(map)?;
        }
        Ok(())
    })?;
    Ok(loaded)
}

/// Memory of all BPF objects that this process has open, each counted once however many fds it has.
///
/// # Errors
/// When procfs does not tell.
pub fn memory() -> Result<u64> {
    let mut known = HashMap::new();
    for entry in fs::read_dir("/proc/self/fd").context("cannot list open files")? {
        let name = entry?.file_name();
        let Some(fd) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // The folder's own descriptor is gone by now.
        if let Ok(Some((id, bytes))) = memory_of(fd) {
            known.insert(id, bytes);
        }
    }
    Ok(known.values().sum())
}

/// Which BPF object an fd is, and its `memlock`; `None` for what is none.
fn memory_of(fd: i32) -> Result<Option<(String, u64)>> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{fd}"))
        .with_context(|| format!("cannot read what fd {fd} is"))?;
    let id = text.lines().find(|line| line.starts_with("map_id:") || line.starts_with("prog_id:"));
    let bytes = text.lines().find_map(|line| line.strip_prefix("memlock:")?.trim().parse().ok());
    Ok(id.map(str::to_owned).zip(bytes))
}
