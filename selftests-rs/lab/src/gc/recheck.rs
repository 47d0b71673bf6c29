// SPDX-License-Identifier: MIT OR Apache-2.0
//! Look once more, from user space, before the delete.

use anyhow::Result;
use cmpdel_uapi_raw::Elements;

use crate::claims::{Claims, Expired, Remove, tell, tell_kept};
use crate::target::Target;
use crate::value::lifetime_of;
use crate::gate::Stop;
use crate::load::Denied;

struct Recheck<'a> {
    elements: Elements<'a>,
    stop: Stop<'a>,
    value: Vec<u8>,
    /// The look-up's gate, and its flags.
    look_up: (&'static str, u64),
}

pub fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    open_with(target, "look_up", 0)
}

/// One whose look-up stops at that gate and has those flags.
pub(super) fn open_with<'a>(
    target: Target<'a>,
    gate: &'static str,
    flags: u64,
) -> Result<Box<dyn Remove + 'a>, Denied> {
    let elements = target.elements()?;
    let value = vec![0; elements.value_size()];
    Ok(Box::new(Recheck { elements, stop: target.stop(), value, look_up: (gate, flags) }))
}

impl Remove for Recheck<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], now: u32, claims: &mut dyn Claims) -> Result<()> {
        let (gate, flags) = self.look_up;
        for entry in expired {
            self.stop.before(gate)?;
            if let Err(errno) = self.elements.look_up(entry.key, &mut self.value, flags) {
                tell(claims, entry, Err(errno));
            } else if lifetime_of(&self.value) >= now {
                tell_kept(claims, entry);
            } else {
                self.stop.before("delete")?;
                tell(claims, entry, self.elements.delete(entry.key));
            }
        }
        Ok(())
    }
}
