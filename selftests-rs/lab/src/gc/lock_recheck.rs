// SPDX-License-Identifier: MIT OR Apache-2.0
//! Look once more under the element's lock before the delete, which takes the bucket's only.

use cmpdel_uapi::bindings as abi;
use model::dsl::{Op, Outcome, Step, Then};

use crate::collector::{Kernel, Remove, Target, require};
use crate::load::Denied;

use super::{DELETE, FREE, READ_CLOCK, SNAPSHOT, Strategy, recheck};

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

const LOCK: u64 = abi::BPF_F_LOCK as u64;

fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    let elements = target.elements()?;
    let mut value = vec![0; elements.value_size()];
    let absent = vec![0xff; elements.key_size()];
    require("BPF_MAP_LOOKUP_ELEM with BPF_F_LOCK", elements.look_up(&absent, &mut value, LOCK))?;
    recheck::open_with(target, LOOK_UP_LOCKED.label, LOCK)
}
