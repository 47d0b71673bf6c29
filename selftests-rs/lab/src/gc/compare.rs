// SPDX-License-Identifier: MIT OR Apache-2.0
//! `BPF_F_COMPARE`, one call a key.

use anyhow::Result;
use cmpdel_uapi::{Map, Outcome, Window};

use crate::claims::{Claims, Expired, Remove, supported, tell_error, tell_fate};
use crate::target::{HELD_WINDOW, Target};
use crate::gate::Stop;
use crate::layout::{Fate, LIFETIME};
use crate::load::Denied;

struct Compare<'a> {
    map: Map<'a>,
    stop: Stop<'a>,
    window: usize,
}

/// The lifetime: what a refresh changes.
const WINDOW: u32 = 4;

/// Bytes to compare. Where the two halves of the kernel's critical section are to be held apart, flags are compared as
/// well: a window of this size is handed to memcmp(), at whose return a debugger can stop.
pub(super) fn window(target: &Target<'_>) -> u32 {
    if target.gated { HELD_WINDOW } else { WINDOW }
}

pub fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    let window = window(&target) as usize;
    Ok(Box::new(Compare { map: supported(target.map)?, stop: target.stop(), window }))
}

impl Remove for Compare<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], _: u32, claims: &mut dyn Claims) -> Result<()> {
        for entry in expired {
            let start = LIFETIME as usize;
            let seen = &entry.value[start..start + self.window];
            self.stop.before("compare")?;
            match self.map.delete_if_eq(entry.key, Window::at(LIFETIME, seen)) {
                Ok(Outcome::Deleted) => tell_fate(claims, entry, Fate::Removed),
                Ok(Outcome::Mismatch) => tell_fate(claims, entry, Fate::Kept),
                Ok(Outcome::Absent) => tell_fate(claims, entry, Fate::Absent),
                Err(error) => tell_error(claims, entry, &error)?,
            }
        }
        Ok(())
    }
}
