// SPDX-License-Identifier: MIT OR Apache-2.0
//! Snapshot, decision, removal, batch by batch: as the lab's collector, with a clock between.

use approaches::{Form, Runs, Strategy};
use cmpdel_uapi_raw::{Errno, Snapshot, now};

use super::calls::Calls;
use super::field::{self, CLOCK, Field, expired_of};
use super::{Not, Round};
use crate::claims::{Counted, Expired};
use crate::collector::on_snapshot;
use crate::value::lifetime_of;

/// Entries asked for in a batch, as the lab's collector asks, and Cilium.
const ROOM: u32 = 1024;

/// One round.
///
/// # Errors
/// What the strategy says, and [`Not::Broken`] if it removed too few entries or too many.
pub fn round(field: &Field, strategy: &Strategy, share: u32, counting: bool) -> Result<Round, Not> {
    let before = field::memory()?;
    let target = field.target()?;
    let (name, runs) = (strategy.name, strategy.runs);
    let mut strategy = on_snapshot(strategy, target)?
        .ok_or_else(|| Not::Here(format!("no way to time `{name}` is written")))?;
    let mut own = field::memory()?.saturating_sub(before);
    if matches!(runs, Runs::Program(_, Form::Single)) {
        own = field::without_records(own);
    }
    let elements = target.elements()?;
    let mut claims = Counted::default();
    let mut round = Round { map_bytes: field.map_bytes()?, ..Round::default() };
    let (mut position, mut snapshot, mut listed) = (None, Snapshot::default(), 0);
    let calls = Calls::count(counting)?;
    loop {
        let start = now();
        position = match elements.look_up_batch(position.as_ref(), ROOM, &mut snapshot) {
            Ok(next) => next,
            Err(Errno(errno)) => {
                return Err(Not::Failed(anyhow::anyhow!("BPF_MAP_LOOKUP_BATCH: {}", Errno(errno))));
            }
        };
        let expired: Vec<Expired<'_>> = snapshot
            .entries(&elements)
            .filter(|(_, value)| lifetime_of(value) < CLOCK)
            .map(|(key, value)| Expired { key, value })
            .collect();
        let decided = now();
        if !expired.is_empty() {
            strategy.remove(&expired, CLOCK, &mut claims)?;
        }
        let end = now();
        round.looking += decided - start;
        round.removing += end - decided;
        round.readings += 2;
        listed = listed.max(expired.capacity() * size_of::<Expired<'_>>());
        if position.is_none() {
            break;
        }
    }
    round.calls = calls.counted();
    round.removed = claims.removed;
    let copies = snapshot.keys.capacity() + snapshot.values.capacity();
    round.gc_bytes = own + (copies + listed) as u64;
    if let Some((errno, times)) = claims.errors.first_key_value() {
        return Err(Not::Broken(format!("{times} removals failed with {errno}")));
    }
    if round.removed != expired_of(field.entries, share) {
        return Err(Not::Broken(format!("{} entries were removed", round.removed)));
    }
    Ok(round)
}
