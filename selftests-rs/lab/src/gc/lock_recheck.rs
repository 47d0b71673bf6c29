// SPDX-License-Identifier: MIT OR Apache-2.0
//! Look once more under the element's lock before the delete, which takes the bucket's only.

use cmpdel_uapi::bindings as abi;

use crate::claims::{Remove, require};
use crate::target::Target;
use crate::load::Denied;

use super::recheck;

const LOCK: u64 = abi::BPF_F_LOCK as u64;

pub fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    let elements = target.elements()?;
    let mut value = vec![0; elements.value_size()];
    let absent = vec![0xff; elements.key_size()];
    require("BPF_MAP_LOOKUP_ELEM with BPF_F_LOCK", elements.look_up(&absent, &mut value, LOCK))?;
    recheck::open_with(target, "look_up_locked", LOCK)
}
