// SPDX-License-Identifier: MIT OR Apache-2.0
//! The collector that has two maps take turns: the only one that deletes nothing.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, anyhow};
use cmpdel_uapi_raw::{Elements, Errno, Snapshot};
use rustix::thread::{MembarrierCommand, membarrier};

use crate::claims::{Claims, Walk};
use crate::generations::Generations;
use crate::layout::TICK;
use crate::load::Denied;
use crate::target::Target;

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
        let empty = self.generations.empty();
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
