// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two maps that take turns.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use cmpdel_uapi_raw::{Create, map_create, update};
use results::races::Refusal;

use crate::datapath::{MapKind, Prepare as _};
use crate::layout::VALUE_SIZE;
use crate::load::Denied;
use crate::value::key_of;

const CURRENT: u32 = 0;
const PREVIOUS: u32 = 1;

/// The two maps, and the map that they are in.
pub struct Generations {
    outer: OwnedFd,
    map: MapKind,
    entries: u32,
    slots: Mutex<[OwnedFd; 2]>,
}

impl Generations {
    /// A map for a generation.
    ///
    /// # Errors
    /// [`Denied::Refused`] where the kernel has no such maps.
    pub fn inner(map: MapKind, entries: u32) -> Result<OwnedFd, Denied> {
        let (map_type, flags) = map.abi()?;
        let create = Create {
            map_type,
            key_size: u32::try_from(key_of(0).len()).unwrap_or(0),
            value_size: u32::try_from(VALUE_SIZE).unwrap_or(0),
            max_entries: entries,
            flags,
            name: "generation",
            ..Create::default()
        };
        map_create(&create).map_err(|errno| {
            let text = format!("BPF_MAP_CREATE of a generation on {map}");
            Denied::Refused(Refusal { errno: errno.to_string(), text })
        })
    }

    /// Two empty generations in `outer`, of which `first` is one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(outer: OwnedFd, first: OwnedFd, map: MapKind, entries: u32) -> Result<Self, Denied> {
        let slots = Mutex::new([first, Self::inner(map, entries)?]);
        let generations = Self { outer, map, entries, slots };
        for slot in [CURRENT, PREVIOUS] {
            generations.put(slot, &generations.slots()[slot as usize])?;
        }
        Ok(generations)
    }

    /// The current one and the one before.
    ///
    /// # Errors
    /// The kernel's.
    pub fn both(&self) -> Result<Vec<OwnedFd>> {
        self.slots().iter().map(|fd| fd.try_clone().context("cannot keep a map")).collect()
    }

    /// Another map of the same kind.
    ///
    /// # Errors
    /// As [`Self::inner`].
    pub fn empty(&self) -> Result<OwnedFd, Denied> {
        Self::inner(self.map, self.entries)
    }

    /// Has the maps take turns while nobody looks at them.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn turn(&self) -> Result<(), Denied> {
        let empty = self.empty()?;
        self.set_previous()?;
        Ok(self.set_current(empty)?)
    }

    /// Makes the current map the previous one. Gives what was the previous one: packets may still look there.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_previous(&self) -> Result<OwnedFd> {
        let mut slots = self.slots();
        let current = slots[CURRENT as usize].try_clone().context("cannot keep a map")?;
        self.put(PREVIOUS, &current)?;
        Ok(std::mem::replace(&mut slots[PREVIOUS as usize], current))
    }

    /// Makes `empty` the current map.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_current(&self, empty: OwnedFd) -> Result<()> {
        let mut slots = self.slots();
        self.put(CURRENT, &empty)?;
        slots[CURRENT as usize] = empty;
        Ok(())
    }

    fn put(&self, slot: u32, map: &OwnedFd) -> Result<()> {
        let fd = map.as_raw_fd().to_ne_bytes();
        update(self.outer.as_fd(), &slot.to_ne_bytes(), &fd, 0)
            .map_err(|errno| anyhow!("cannot put a generation in its place: {errno}"))
    }

    fn slots(&self) -> MutexGuard<'_, [OwnedFd; 2]> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
