// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two maps take turns: what GC does is to make a map, put two in their places and let go of one. Each entry of the old map
//! that is not in the current one as well is one removed; nothing is looked at.
//!
//! The waits for grace periods (each update of a map of maps is one, too) are no work, so the clock is that of the thread's
//! CPU time: where a hypervisor tells of time that it took away, single readings are off, and the round in the middle counts.
//! What the kernel does later, to free the map, is nobody's time here.

use approaches::Strategy;
use rustix::time::{ClockId, clock_gettime};

use super::calls::Calls;
use super::field::{Field, expired_of};
use super::{Not, Round};
use crate::claims::Counted;
use crate::collector::Collector;

/// One round.
///
/// # Errors
/// The kernel's.
pub fn round(field: &Field, strategy: &Strategy, share: u32, counting: bool) -> Result<Round, Not> {
    // The one that is made before another goes.
    let gc_bytes = field.table_bytes()?;
    let map_bytes = field.map_bytes()?;
    // It is due when it is opened.
    let mut collector = Collector::open(strategy, false, field.target()?)?;
    let mut claims = Counted::default();
    let calls = Calls::count(counting)?;
    let start = cpu_time();
    collector.round(&mut claims)?;
    let removing = cpu_time().saturating_sub(start);
    let calls = calls.counted();
    let removed = expired_of(field.entries, share);
    Ok(Round { removing, removed, calls, map_bytes, gc_bytes, readings: 2, ..Round::default() })
}

/// What this thread has had of a CPU so far.
fn cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
