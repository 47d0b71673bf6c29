// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two maps that take turns, and the collector that has them do so: the only one that deletes nothing.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use cmpdel_uapi_raw::{Create, Elements, Errno, Snapshot, map_create, update};
use results::races::Refusal;
use rustix::thread::{MembarrierCommand, membarrier};

use crate::collector::{Claims, Target, Walk};
use crate::datapath::{MapKind, Prepare as _};
use crate::layout::{TICK, VALUE_SIZE};
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

    /// Has the maps take turns while nobody looks at them.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn turn(&self) -> Result<(), Denied> {
        let empty = Self::inner(self.map, self.entries)?;
        self.set_previous()?;
        Ok(self.set_current(empty)?)
    }

    /// Makes the current map the previous one. Gives what was the previous one: packets may still look there.
    fn set_previous(&self) -> Result<OwnedFd> {
        let mut slots = self.slots();
        let current = slots[CURRENT as usize].try_clone().context("cannot keep a map")?;
        self.put(PREVIOUS, &current)?;
        Ok(std::mem::replace(&mut slots[PREVIOUS as usize], current))
    }

    /// Makes `empty` the current map.
    fn set_current(&self, empty: OwnedFd) -> Result<()> {
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

/// Swaps when a period has passed since it last did.
pub struct Swap<'a> {
    target: Target<'a>,
    generations: &'a Generations,
    due: u32,
    snapshot: Snapshot,
}

impl<'a> Swap<'a> {
    /// One that is due at once.
    ///
    /// # Errors
    /// [`Denied`], when the datapath has no generations.
    pub fn open(target: Target<'a>) -> Result<Self, Denied> {
        let generations =
            target.datapath.generations().context("this datapath has no generations to swap")?;
        Ok(Self { target, generations, due: 0, snapshot: Snapshot::default() })
    }

    fn period(&self) -> u32 {
        self.target.datapath.settings().timeout * TICK
    }

    /// How many entries a map holds that nobody uses any more.
    fn count(&mut self, map: &OwnedFd) -> Result<u64> {
        let elements = Elements::new(map.as_fd()).context("cannot use a generation")?;
        let (mut position, mut count, mut room) = (None, 0, 1024);
        loop {
            match elements.look_up_batch(position.as_ref(), room, &mut self.snapshot) {
                Ok(next) => position = next,
                Err(Errno(libc::ENOSPC)) => {
                    room *= 2;
                    continue;
                }
                Err(errno) => return Err(anyhow!("cannot count what is dropped: {errno}")),
            }
            count += self.snapshot.count as u64;
            if position.is_none() {
                return Ok(count);
            }
        }
    }
}

impl Walk for Swap<'_> {
    fn walk(&mut self, now: u32, claims: &mut dyn Claims) -> Result<()> {
        if now < self.due {
            return Ok(());
        }
        let stop = self.target.stop();
        let empty = Generations::inner(self.generations.map, self.generations.entries);
        let empty = empty.map_err(Denied::error)?;
        stop.before("swap_previous")?;
        let old = self.generations.set_previous()?;
        stop.before("swap_current")?;
        self.generations.set_current(empty)?;
        // What a packet still saw as the current map has its period from here on.
        // It is live through the last tick of its period.
        self.due = self.target.now() + self.period() + TICK;
        stop.before("grace")?;
        membarrier(MembarrierCommand::Global).context("membarrier(2) says no to a grace period")?;
        stop.before("drop")?;
        // For the oracle alone: whoever uses this has no need to know.
        let dropped = if self.target.datapath.settings().oracle { self.count(&old)? } else { 0 };
        drop(old);
        claims.dropped(dropped);
        Ok(())
    }
}
