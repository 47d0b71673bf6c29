// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fills an LRU map from outside the datapath, so that it evicts all the time: flows that come once and are never seen again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use cmpdel_uapi_raw::{Elements, Errno};

use crate::cpus::pin;
use crate::datapath::Datapath;
use crate::value::{FIRST_STRANGER, NEVER, key_of, value_of};

/// Flows that it uses, one after the other; more than a map has room for.
const FLOWS: u32 = 1 << 16;
/// Entries put there at a time, and the pause between: packets want the CPU as well.
const CHUNK: u32 = 32;
const PAUSE: Duration = Duration::from_micros(50);

/// Somebody who has filled the map under test.
pub struct Filler<'a> {
    elements: Elements<'a>,
    /// The next flow.
    flow: u32,
    made: u64,
}

impl<'a> Filler<'a> {
    /// Fills the map, so that whoever comes first finds no room.
    ///
    /// # Errors
    /// The kernel's.
    pub fn of(datapath: &'a Datapath) -> Result<Self> {
        let elements = Elements::new(datapath.map("ct4")?);
        let elements = elements.map_err(|errno| anyhow!("cannot fill the map: {errno}"))?;
        let mut filler = Self { elements, flow: 0, made: 0 };
        filler.put(datapath.settings().entries)?;
        Ok(filler)
    }

    /// Keeps it full from `cpu`, until told to stop. Gives how many entries it has put there in all.
    ///
    /// # Errors
    /// The kernel's.
    pub fn fill(mut self, cpu: usize, stop: &AtomicBool) -> Result<u64> {
        pin(cpu)?;
        while !stop.load(Relaxed) {
            self.put(CHUNK)?;
            thread::sleep(PAUSE);
        }
        Ok(self.made)
    }

    /// Puts entries there that never expire.
    fn put(&mut self, entries: u32) -> Result<()> {
        for _ in 0..entries {
            let stranger = FIRST_STRANGER + self.flow;
            match self.elements.update(&key_of(stranger), &value_of(stranger, NEVER), 0) {
                Ok(()) => self.made += 1,
                // Whoever updates an LRU map lives with that.
                Err(Errno(libc::ENOMEM)) => {}
                Err(errno) => bail!("cannot fill the map: {errno}"),
            }
            self.flow = (self.flow + 1) % FLOWS;
        }
        Ok(())
    }
}
