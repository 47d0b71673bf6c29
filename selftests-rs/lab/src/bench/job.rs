// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole job: a round of GC over a conntrack map, by every strategy, for maps of several sizes and shares of expired
//! entries. Looking (snapshot and decision) and removing are timed apart.

mod arena;
mod calls;
mod field;

use approaches::{Gc, Protocol, Strategy};
use cmpdel_uapi_raw::{Errno, Prepared, Snapshot, now};
use results::bench::{Group, Job, Measure};

use super::clock::Clock;
use super::samples::measure;
use super::stage::must_say;
use super::{Not, Step};
use crate::collector::{Counted, Expired, Remove, lifetime_of, on_snapshot};
use crate::layout::Control;
use calls::Calls;
use field::{CLOCK, Field, expired_of};

pub use field::Shelf;

/// Entries of the maps, which hold no more.
const SIZES: [u32; 4] = [1 << 10, 1 << 14, 1 << 17, 1 << 19];
/// How many of a hundred have expired.
const SHARES: [u32; 3] = [1, 10, 100];
/// Of the quick form, and of what is run natively: sizes and share.
const QUICK: ([u32; 1], u32) = ([1 << 10], 10);
const NATIVE: ([u32; 2], u32) = ([1 << 14, 1 << 17], 10);
/// Rounds with nothing expired, of which the least counts: the first pays for what is done once.
const LOOKS: u32 = 3;
/// Entries asked for in a batch, as the lab's collector asks, and Cilium.
const ROOM: u32 = 1024;
/// The strategy that is measured by a program of its own.
const WALK: &str = "iter";

/// Whose strategies.
#[derive(Clone, Copy)]
pub struct Whose<'a> {
    /// The series of this kernel.
    pub series: &'a str,
    /// Only those that no other kernel runs.
    pub own: bool,
}

impl Whose<'_> {
    /// Whether this kernel measures the strategy. What waits for a grace period costs no more but the wait.
    pub fn has(&self, strategy: &Strategy) -> bool {
        strategy.series.map_or(!self.own, |series| series == self.series)
    }
}

/// How much of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All sizes and shares.
    Whole,
    /// Enough to see that all of it works.
    Quick,
    /// Enough to compare ratios with those of an emulated machine.
    Native,
}

impl Extent {
    fn has(self, size: u32, share: u32) -> bool {
        match self {
            Self::Whole => true,
            Self::Quick => QUICK.0.contains(&size) && share == QUICK.1,
            Self::Native => NATIVE.0.contains(&size) && share == NATIVE.1,
        }
    }
}

/// All steps of the table.
pub fn steps<'a>(shelf: &'a Shelf, extent: Extent, whose: Whose<'_>) -> Vec<Step<'a>> {
    let mut steps = Vec::new();
    for size in SIZES {
        for discipline in ["store", "lock"] {
            for strategy in Gc::ALL.iter().map(|gc| gc.data()).filter(|strategy| whose.has(strategy)) {
                if discipline_of(strategy) != discipline {
                    continue;
                }
                for share in SHARES {
                    if extent.has(size, share) {
                        steps.push(step(shelf, strategy, size, share));
                    }
                }
            }
        }
    }
    steps
}

/// Whose maps have what the strategy needs in a value.
pub fn discipline_of(strategy: &Strategy) -> &'static str {
    if strategy.protocol == Protocol::Lock { "lock" } else { "store" }
}

fn step<'a>(shelf: &'a Shelf, strategy: &'static Strategy, size: u32, share: u32) -> Step<'a> {
    let (looked_at, removed) = (u64::from(size), expired_of(size, share));
    let map = if strategy.name == crate::arena::MAP { crate::arena::MAP } else { "hash" };
    Step {
        group: Group::Job,
        what: format!("gc {}, {size} entries, {share} % expired on {map}", strategy.name),
        weight: 2 * (700 * looked_at + 1500 * removed) + 1_000_000,
        run: Box::new(move |clock| {
            if map == crate::arena::MAP {
                let found = best_of(size, || arena::round(size, share))?;
                return Ok(whole(strategy, size, share, map, found, clock));
            }
            shelf.with(discipline_of(strategy), size, |field| {
                let found = round(field, strategy, share)?;
                Ok(whole(strategy, size, share, map, found, clock))
            })
        }),
    }
}

/// What a round took.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    looking: u64,
    removing: u64,
    removed: u64,
    calls: u64,
    map_bytes: u64,
    gc_bytes: u64,
    /// Nothing is looked at before: `removing` holds what `looking` takes by itself.
    looks_while_removing: bool,
    /// Times that the clock was read around something.
    readings: u64,
}

fn whole(strategy: &Strategy, size: u32, share: u32, map: &str, found: Round, clock: &Clock) -> Measure {
    let total = found.looking + found.removing;
    let all = measure(Group::Job, clock, &[total], found.readings, 1);
    // The readings are spread evenly over looking and removing.
    let half = clock.floor * found.readings / 2;
    let each = |took: u64, of: u64| took.saturating_sub(half) as f64 / of.max(1) as f64;
    let job = Job {
        strategy: strategy.name.into(),
        entries: size.into(),
        expired_percent: share,
        removed: found.removed,
        per_entry_looked_at: each(found.looking, size.into()),
        per_entry_removed: each(found.removing, found.removed),
        system_calls: found.calls,
        map_bytes: found.map_bytes,
        gc_bytes: found.gc_bytes,
    };
    Measure { operation: "gc".into(), map: map.into(), job: Some(job), ..all }
}

/// How often a round is timed: in a short one the kernel's own work in between shows, in a long one it is part of it.
fn rounds(entries: u32) -> u32 {
    if entries <= SIZES[0] {
        15
    } else if entries <= SIZES[1] {
        5
    } else {
        1
    }
}

/// The least of several rounds, for looking and for removing.
fn best_of(entries: u32, mut once: impl FnMut() -> Result<Round, Not>) -> Result<Round, Not> {
    let mut best = once()?;
    for _ in 1..rounds(entries) {
        let again = once()?;
        best.looking = best.looking.min(again.looking);
        best.removing = best.removing.min(again.removing);
    }
    if best.looks_while_removing {
        best.removing = best.removing.saturating_sub(best.looking);
        best.looks_while_removing = false;
    }
    Ok(best)
}

/// Timed rounds, of which the least counts for looking and for removing, and one in which system calls are counted.
fn round(field: &Field, strategy: &Strategy, share: u32) -> Result<Round, Not> {
    let once = |counting| -> Result<Round, Not> {
        field.fill(share)?;
        let found = if strategy.name == WALK {
            walk(field, share, counting)?
        } else {
            by_snapshot(field, strategy, share, counting)?
        };
        field.check(share, found.removed)?;
        Ok(found)
    };
    let best = best_of(field.entries, || once(false))?;
    Ok(Round { calls: once(true)?.calls, ..best })
}

/// Snapshot, decision, removal, batch by batch: as the lab's collector, with a clock between.
fn by_snapshot(field: &Field, strategy: &Strategy, share: u32, counting: bool) -> Result<Round, Not> {
    let before = field::memory()?;
    let target = field.target()?;
    let name = strategy.name;
    let mut strategy = on_snapshot(strategy, target)?
        .ok_or_else(|| Not::Here(format!("no way to time `{name}` is written")))?;
    let own = field::memory()?.saturating_sub(before);
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
        remove(strategy.as_mut(), &expired, &mut claims)?;
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

fn remove(strategy: &mut dyn Remove, expired: &[Expired<'_>], claims: &mut Counted) -> Result<(), Not> {
    if !expired.is_empty() {
        strategy.remove(expired, CLOCK, claims)?;
    }
    Ok(())
}

/// A walk in the kernel. What it takes when nothing has expired is the price of looking.
fn walk(field: &Field, share: u32, counting: bool) -> Result<Round, Not> {
    let before = field::memory()?;
    let program = field.walker()?;
    let own = field::memory()?.saturating_sub(before);
    let mut call = Prepared::run_on_context(program.program("walk")?, 8);
    let mut sweep = |clock: u32| -> Result<(u64, u64), Not> {
        call.value_mut()[..4].copy_from_slice(&clock.to_ne_bytes());
        let (took, answer) = call.timed();
        must_say(answer, 0)?;
        let removed = call.values()[4..8].try_into().map_or(0, u32::from_ne_bytes);
        Ok((took, removed.into()))
    };
    let (mut looking, mut none) = (u64::MAX, 0);
    for _ in 0..LOOKS {
        let (took, removed) = sweep(0)?;
        looking = looking.min(took);
        none += removed;
    }
    let calls = Calls::count(counting)?;
    let (removing, removed) = sweep(CLOCK)?;
    let calls = calls.counted();
    if none != 0 || removed != expired_of(field.entries, share) {
        return Err(Not::Broken(format!("the walks removed {none} and {removed} entries")));
    }
    let map_bytes = field.map_bytes()?;
    let (looks_while_removing, gc_bytes, readings) = (true, own, 2);
    Ok(Round { looking, removing, removed, calls, map_bytes, gc_bytes, looks_while_removing, readings })
}

/// The clock of a target, so that strategies which read it there agree.
fn set(control: &Control) {
    control.now.store(CLOCK, std::sync::atomic::Ordering::SeqCst);
}
