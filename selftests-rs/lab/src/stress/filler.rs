// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fills an LRU map from outside the datapath, so that it evicts all the time: flows that come once and are never seen again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use cmpdel_uapi_raw::{Elements, Errno};

use crate::cpus::pin;
use crate::value::{FIRST_STRANGER, key_of, value_of};

/// Flows that it uses, one after the other; more than a map has room for.
const FLOWS: u32 = 1 << 16;
/// Entries put there at a time, and the pause between: packets want the CPU as well.
const CHUNK: u32 = 32;
const PAUSE: Duration = Duration::from_micros(50);

/// Puts entries there that never expire, until told to stop. Gives how many they were.
///
/// # Errors
/// The kernel's, but for no room: whoever updates an LRU map lives with that.
pub fn fill(elements: &Elements<'_>, cpu: usize, stop: &AtomicBool) -> Result<u64> {
    pin(cpu)?;
    let mut made = 0;
    let mut flow = 0;
    while !stop.load(Relaxed) {
        for _ in 0..CHUNK {
            let stranger = FIRST_STRANGER + flow;
            match elements.update(&key_of(stranger), &value_of(stranger, u32::MAX), 0) {
                Ok(()) => made += 1,
                Err(Errno(libc::ENOMEM)) => {}
                Err(errno) => bail!("cannot fill the map: {errno}"),
            }
            flow = (flow + 1) % FLOWS;
        }
        thread::sleep(PAUSE);
    }
    Ok(made)
}
