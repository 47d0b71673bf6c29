// SPDX-License-Identifier: MIT OR Apache-2.0
//! A walk in the kernel, by the very collector that races. No oracle listens, so that it lists nothing. What it takes when
//! nothing has expired is the price of looking.

use approaches::Strategy;
use cmpdel_uapi_raw::now;

use super::calls::Calls;
use super::field::{self, CLOCK, Field, expired_of};
use super::{LOOKS, Not, Round};
use crate::claims::Counted;
use crate::collector::Collector;

/// One round, after some in which nothing had expired.
///
/// # Errors
/// What the strategy says, and [`Not::Broken`] if it removed too few entries or too many.
pub fn round(field: &Field, strategy: &Strategy, share: u32, counting: bool) -> Result<Round, Not> {
    let before = field::memory()?;
    let mut collector = Collector::open(strategy, false, field.target()?)?;
    let own = field::memory()?.saturating_sub(before);
    let mut sweep = |clock: u32| -> Result<(u64, Counted), Not> {
        field.set_clock(clock);
        let mut claims = Counted::default();
        let start = now();
        collector.round(&mut claims)?;
        Ok((now() - start, claims))
    };
    let (mut looking, mut none) = (u64::MAX, 0);
    for _ in 0..LOOKS {
        let (took, claims) = sweep(0)?;
        looking = looking.min(took);
        none += claims.removed;
    }
    let calls = Calls::count(counting)?;
    let (removing, claims) = sweep(CLOCK)?;
    let calls = calls.counted();
    let removed = claims.removed;
    if none != 0 || removed != expired_of(field.entries, share) {
        let errors = claims.errors;
        return Err(Not::Broken(format!("the walks removed {none} and {removed} entries ({errors:?})")));
    }
    let map_bytes = field.map_bytes()?;
    let (looks_while_removing, gc_bytes, readings) = (true, field::without_records(own), 2);
    Ok(Round { looking, removing, removed, calls, map_bytes, gc_bytes, looks_while_removing, readings })
}
