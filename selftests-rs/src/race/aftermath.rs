// SPDX-License-Identifier: MIT OR Apache-2.0
//! After a race the map holds what it should, has all its elements and no more, and can be frozen.

use anyhow::{Context as _, Result};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use super::Schedule;

/// What is wrong with a map in which `left` entries should be left. It is another map afterwards.
pub fn check(map: &MapHandle, schedule: &Schedule, left: usize) -> Result<Vec<String>> {
    let capacity = schedule.max_entries();
    let mut wrong = Vec::new();
    let keys: Vec<_> = map.keys().collect();
    if keys.len() != left {
        wrong.push(format!("{} keys are listed, {left} are left", keys.len()));
    }
    for key in keys {
        map.delete(&key).context("cannot empty the map")?;
    }
    // An element lost, or given back twice, shows in how many entries the map takes.
    let value = vec![0; map.value_size() as usize];
    let put = |key: &u32| map.update(&key.to_ne_bytes(), &value, MapFlags::NO_EXIST).is_ok();
    let taken = (0..=capacity).take_while(put).count();
    // An LRU map takes any number and evicts; one whose elements were lost would take none.
    let wanted = capacity as usize + usize::from(schedule.ground.is_lru());
    if taken != wanted {
        wrong.push(format!("a map of {capacity} entries took {taken}"));
    }
    // The kernel refuses for as long as it believes that somebody is writing.
    if let Err(error) = map.freeze() {
        wrong.push(format!("cannot be frozen: {error}"));
    }
    Ok(wrong)
}
