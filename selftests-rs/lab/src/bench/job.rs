// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole job: a round of GC over a conntrack map, by every strategy, for maps of several sizes and shares of expired
//! entries. Looking (snapshot and decision) and removing are timed apart.

mod arena;
mod calls;
mod field;
mod snapshot;
mod swap;
mod walk;

use approaches::cells::carries;
use approaches::{Discipline, Form, Gc, Protocol, Refresh, Runs, Strategy};
use results::bench::{Group, Job, Measure, Unit};

use super::clock::Clock;
use super::samples::measure;
use super::{Not, Step};
use crate::datapath::MapKind;
use field::{Field, expired_of};

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

/// Whose strategies.
#[derive(Clone, Copy)]
pub struct Whose<'a> {
    /// The series of this kernel, joined by `+`.
    pub series: &'a str,
    /// Only those that no other kernel runs.
    pub own: bool,
}

impl Whose<'_> {
    /// Whether this kernel measures the strategy. What waits for a grace period costs no more but the wait.
    pub fn has(&self, strategy: &Strategy) -> bool {
        strategy.series.map_or(!self.own, |series| carries(self.series, series))
    }

    /// Whether packets of that discipline can run.
    pub fn runs(&self, discipline: &Discipline) -> bool {
        discipline.series.is_none_or(|series| carries(self.series, series))
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

/// All steps of the table. Strategies that work on the values of one discipline come one after the other.
pub fn steps<'a>(shelf: &'a Shelf, extent: Extent, whose: Whose<'_>) -> Vec<Step<'a>> {
    let mut here: Vec<(Refresh, Gc)> =
        Gc::ALL.iter().filter(|gc| whose.has(gc)).map(|&gc| (discipline_of(gc.data()), gc)).collect();
    here.sort_by_key(|(discipline, _)| *discipline);
    let mut steps = Vec::new();
    for size in SIZES {
        for &(discipline, gc) in &here {
            for share in SHARES {
                if extent.has(size, share) {
                    steps.push(step(shelf, discipline, gc.data(), size, share));
                }
            }
        }
    }
    steps
}

/// A discipline whose maps have what the strategy looks at.
pub fn discipline_of(strategy: &Strategy) -> Refresh {
    match strategy.protocol {
        Protocol::Plain | Protocol::Timer => Refresh::Store,
        Protocol::Lock => Refresh::LockTagged,
        Protocol::Mark => Refresh::CasTagged,
        Protocol::Stripe => Refresh::HalfLifeStripe,
        Protocol::Generations => Refresh::Generation,
        Protocol::Arena => Refresh::Arena,
    }
}

fn step<'a>(
    shelf: &'a Shelf,
    discipline: Refresh,
    strategy: &'static Strategy,
    size: u32,
    share: u32,
) -> Step<'a> {
    let (looked_at, removed) = (u64::from(size), expired_of(size, share));
    let map = if discipline.protocol == Protocol::Arena { MapKind::Arena } else { MapKind::Hash };
    Step {
        group: Group::Job,
        what: format!("gc {}, {size} entries, {share} % expired on {map}", strategy.name),
        weight: 2 * (700 * looked_at + 1500 * removed) + 1_000_000,
        run: Box::new(move |clock| {
            let times = rounds(size, clock.unit);
            let found = match strategy.runs {
                Runs::Arena => best_of(times, || arena::round(size, share))?,
                Runs::Timer { .. } => {
                    let why = "an entry's own timer removes it in its callback, in no round: there is nothing to time from \
                               outside; what setting it takes is in the table of packets";
                    return Err(Not::Here(why.into()));
                }
                _ => shelf.with(discipline, size, |field| round(field, strategy, share, times))?,
            };
            Ok(whole(strategy, size, share, map, found, clock))
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

fn whole(strategy: &Strategy, size: u32, share: u32, map: MapKind, found: Round, clock: &Clock) -> Measure {
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
    Measure { operation: "gc".into(), map: map.name().into(), job: Some(job), ..all }
}

/// How often a round is timed: in a short one the kernel's own work in between shows, in a long one it is part of it. By a
/// real clock what else the machine does shows, too.
fn rounds(entries: u32, unit: Unit) -> u32 {
    match unit {
        _ if entries <= SIZES[0] => 15,
        Unit::Ns if entries <= SIZES[1] => 15,
        Unit::Ns => 5,
        Unit::Instructions if entries <= SIZES[1] => 5,
        Unit::Instructions => 1,
    }
}

/// The least of several rounds, for looking and for removing.
fn best_of(times: u32, mut once: impl FnMut() -> Result<Round, Not>) -> Result<Round, Not> {
    let mut best = once()?;
    for _ in 1..times {
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

/// The round in the middle of several, by what removing took.
fn middle_of(times: u32, mut once: impl FnMut() -> Result<Round, Not>) -> Result<Round, Not> {
    let mut all = (0..times.max(1)).map(|_| once()).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|round| round.removing);
    Ok(all[all.len() / 2])
}

/// Timed rounds, of which the least counts for looking and for removing, and one in which system calls are counted.
fn round(field: &Field, strategy: &Strategy, share: u32, times: u32) -> Result<Round, Not> {
    let once = |counting| -> Result<Round, Not> {
        field.fill(share)?;
        let found = match strategy.runs {
            Runs::Program(_, Form::Walk) => walk::round(field, strategy, share, counting)?,
            Runs::Swap => swap::round(field, strategy, share, counting)?,
            _ => snapshot::round(field, strategy, share, counting)?,
        };
        field.check(share, found.removed)?;
        Ok(found)
    };
    let found = match strategy.runs {
        Runs::Swap => middle_of(times, || once(false))?,
        _ => best_of(times, || once(false))?,
    };
    Ok(Round { calls: once(true)?.calls, ..found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_has_a_discipline_whose_values_it_knows() {
        for gc in Gc::ALL {
            let discipline = discipline_of(gc.data());
            let same = discipline.protocol == gc.protocol;
            assert!(same || gc.protocol == Protocol::Timer, "{gc} on {discipline}");
        }
    }

    #[test]
    fn expired_entries_are_spread_over_each_hundred() {
        assert_eq!(expired_of(1 << 14, 10), 1640);
        assert_eq!(expired_of(1 << 10, 100), 1 << 10);
        assert_eq!(expired_of(1024, 1), 11);
    }
}
