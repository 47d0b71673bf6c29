// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entries that remove themselves by their timers: what is left for user space is to read what they did.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use cmpdel_uapi_raw::Errno;

use crate::claims::Claims;
use crate::clock::monotonic;
use crate::layout::{COUNTED_FLOWS, Fate, Fired};
use crate::load::Denied;
use crate::shared::Shared;
use crate::target::Target;
use crate::value::key_of;

/// What timers have done, and how much of that was told.
pub struct Timers {
    fired: Shared<Fired>,
    told: Vec<u32>,
    told_failed: u32,
    interval: Duration,
}

impl Timers {
    /// Those of the target's datapath.
    ///
    /// # Errors
    /// [`Denied`], when it sets none.
    pub fn open(target: Target<'_>) -> Result<Self, Denied> {
        let fired = target.datapath.map("fired").context("this datapath sets no timers")?;
        let fired: Shared<Fired> = Shared::map(fired)?;
        let told = fired.removed.iter().map(|count| count.load(Relaxed)).collect();
        let told_failed = fired.failed.load(Relaxed);
        let interval = Duration::from_nanos(target.datapath.settings().interval);
        Ok(Self { fired, told, told_failed, interval })
    }

    /// Waits until each timer has fired, and tells what came of it. Lifetimes are not known by then.
    pub fn round(&mut self, claims: &mut dyn Claims) {
        thread::sleep(2 * self.interval);
        for (flow, (told, count)) in (0..COUNTED_FLOWS).zip(self.told.iter_mut().zip(&self.fired.removed)) {
            let count = count.load(Relaxed);
            for _ in *told..count {
                claims.claim(&key_of(flow), 0, Fate::Removed, monotonic());
            }
            *told = count;
        }
        let failed = self.fired.failed.load(Relaxed);
        for _ in self.told_failed..failed {
            claims.error(Errno(-self.fired.err.load(Relaxed)));
        }
        self.told_failed = failed;
    }
}
