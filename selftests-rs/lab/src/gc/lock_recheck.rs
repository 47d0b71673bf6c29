// SPDX-License-Identifier: MIT OR Apache-2.0
//! Look once more under the element's lock before the delete, which takes the bucket's only.

use anyhow::Result;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::Elements;

use crate::collector::{Claims, Expired, Kernel, Remove, Target, lifetime_of, require, tell, tell_kept};
use crate::gate::Stop;
use crate::load::Denied;
use model::dsl::{Op, Outcome, Step, Then};

use super::{DELETE, FREE, READ_CLOCK, SNAPSHOT, Strategy};

// A copy under the element's lock is whole, but the lock is dropped before user space sees it.
const LOOK_UP_LOCKED: Step = Step::new("look_up_locked", "copy_map_value_locked", Op::Copy)
    .on(&[(Outcome::Live, Then::End), (Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "lock-recheck",
    about: "looks up with BPF_F_LOCK, compares, deletes",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP_LOCKED, DELETE, FREE],
    kernel: Kernel::Snapshot(open),
    series: None,
};

struct LockRecheck<'a> {
    elements: Elements<'a>,
    stop: Stop<'a>,
    value: Vec<u8>,
}

const LOCK: u64 = abi::BPF_F_LOCK as u64;

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    let elements = target.elements()?;
    let mut value = vec![0; elements.value_size()];
    let absent = vec![0xff; elements.key_size()];
    require("BPF_MAP_LOOKUP_ELEM with BPF_F_LOCK", elements.look_up(&absent, &mut value, LOCK))?;
    Ok(Box::new(LockRecheck { elements, stop: target.stop(), value }))
}

impl Remove for LockRecheck<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], now: u32, claims: &mut dyn Claims) -> Result<()> {
        for entry in expired {
            self.stop.before("look_up_locked")?;
            if let Err(errno) = self.elements.look_up(entry.key, &mut self.value, LOCK) {
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
