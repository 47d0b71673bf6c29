// SPDX-License-Identifier: MIT OR Apache-2.0
//! The map that a round goes over: that of a datapath, full, with a share of its entries expired.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::sync::atomic::Ordering::SeqCst;

use anyhow::{Context as _, Result, ensure};
use approaches::Refresh;
use cmpdel_uapi_raw::{Elements, Errno, run_on_context};

use super::super::track;
use super::Not;
use crate::datapath::{Datapath, MapKind, key_of};
use crate::layout::{Records, TICK, VALUE_SIZE};
use crate::load::{BENCHES, Denied, Loaded, load, object};
use crate::target::Target;

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
        discipline: Refresh,
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

/// A full map, or two that take turns.
pub struct Field {
    /// The refresh discipline whose values it holds.
    pub discipline: Refresh,
    /// Entries in it, when it is full.
    pub entries: u32,
    datapath: Datapath,
    /// For the table, where there is one that stays.
    filler: Option<Loaded>,
}

impl Field {
    fn new(discipline: Refresh, entries: u32) -> Result<Self, Not> {
        let datapath = track::load(discipline.name, MapKind::Hash, entries, 1)?;
        let filler = match datapath.generations() {
            None => Some(filler(datapath.map("ct4")?)?),
            Some(_) => None,
        };
        Ok(Self { discipline, entries, datapath, filler })
    }

    /// Puts all entries there, `share` of each hundred expired. Where maps take turns, all are in the previous one, and those
    /// that have not expired in the current one as well: their packets have come in this period, too.
    ///
    /// # Errors
    /// The kernel's.
    pub fn fill(&self, share: u32) -> Result<(), Not> {
        self.set_clock(CLOCK);
        if let Some(filler) = &self.filler {
            return Ok(self.put(filler, share, DUE)?);
        }
        for (table, due) in self.datapath.tables()?.iter().zip([0, DUE]) {
            self.put(&filler(table.as_fd())?, share, due)?;
        }
        Ok(())
    }

    fn put(&self, filler: &Loaded, share: u32, due: u32) -> Result<()> {
        let cpus = u32::try_from(crate::cpus::count()?)?;
        let mut context: Vec<u8> = [self.entries, LIVE, due, share, cpus, 0]
            .iter()
            .flat_map(|field: &u32| field.to_ne_bytes())
            .collect();
        let answer = run_on_context(filler.program("fill")?, &mut context)?;
        let failed = context[20..24].try_into().map_or(u32::MAX, u32::from_ne_bytes);
        ensure!((answer, failed) == (0, 0), "the map was not filled: {failed} updates failed");
        Ok(())
    }

    /// What collectors judge by from now on.
    pub fn set_clock(&self, clock: u32) {
        self.datapath.control().now.store(clock, SeqCst);
    }

    /// What collectors get.
    ///
    /// # Errors
    /// When a map is missing.
    pub fn target(&self) -> Result<Target<'_>> {
        self.datapath.target("ct4")
    }

    /// Memory of one table, as the kernel accounts it.
    ///
    /// # Errors
    /// When procfs does not tell.
    pub fn table_bytes(&self) -> Result<u64> {
        let first = self.datapath.tables()?.into_iter().next().context("there is no table")?;
        bytes_of(first.as_fd())
    }

    /// Memory of all that the entries and their protocol take: of one map or two, and of the stripes, if it has such.
    ///
    /// # Errors
    /// When procfs does not tell.
    pub fn map_bytes(&self) -> Result<u64> {
        let tables = self.datapath.tables()?;
        let stripes = self.datapath.map("keep_stripes").ok();
        tables.iter().map(|table| table.as_fd()).chain(stripes).map(bytes_of).sum()
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
        let tables = self.datapath.tables()?;
        let tables: Vec<Elements<'_>> =
            tables.iter().map(|table| Elements::new(table.as_fd())).collect::<Result<_, _>>()?;
        for flow in (0..self.entries).step_by((self.entries / LOOKS).max(1) as usize) {
            let mut there = false;
            for table in &tables {
                match table.look_up(&key_of(flow), &mut [0; VALUE_SIZE], 0) {
                    Ok(()) => there = true,
                    Err(Errno(libc::ENOENT)) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
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

/// What fills a map from within.
fn filler(map: BorrowedFd<'_>) -> Result<Loaded> {
    let prepare = |section: &str, open: &mut libbpf_rs::OpenMapMut<'_>| {
        if section == "entries" {
            open.reuse_fd(map)?;
        }
        Ok(())
    };
    load(object(BENCHES, "fill")?, prepare).map_err(Denied::error)
}

/// What a collector holds, without the list of records: what works on one entry at a time has it for the oracle alone.
pub fn without_records(bytes: u64) -> u64 {
    let records = size_of::<Records>().next_multiple_of(rustix::param::page_size());
    bytes.saturating_sub(records as u64)
}

fn bytes_of(map: BorrowedFd<'_>) -> Result<u64> {
    let known = memory_of(map.as_raw_fd())?;
    known.map(|(_, bytes)| bytes).context("the kernel does not tell the memory of a map")
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
