// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare and unlink are one step for every writer that takes the bucket lock: no version but the expected one is deleted.

use anyhow::Result;
use cmpdel_uapi::bindings as abi;

use crate::Context;
use crate::race::{Gc, Ground, Report, Room, Schedule, run};
use crate::series::Series;
use crate::verdict::{On, Test, Verdict};

/// Keys of each worker in the main schedule: under emulation a writer is back at a key after some 50 µs, and a look-up and
/// a delete take a fifth of that. So most deletes succeed, and many meet a replaced entry.
const KEYS: u32 = 32;

const DELETES: u64 = 1_000_000;

pub fn tests() -> Vec<Test> {
    vec![
        control("atomicity::control_look_up_compare_delete_loses_entries", Gc::LookUpCompareDelete, hash),
        control("atomicity::control_look_up_compare_delete_loses_entries_lru", Gc::LookUpCompareDelete, lru),
        control("atomicity::control_a_batch_without_compare_loses_entries", Gc::LookUpDeleteBatch, hash),
        control("atomicity::control_a_batch_without_compare_loses_entries_lru", Gc::LookUpDeleteBatch, lru),
        Test::new("atomicity::a_replaced_version_is_never_deleted_preallocated", On::Series, |context| {
            race(context, Schedule { deletes: DELETES, ..main_schedule(context) })
        }),
        Test::new("atomicity::a_replaced_version_is_never_deleted_not_preallocated", On::Series, |context| {
            let ground = Ground::hash(abi::BPF_F_NO_PREALLOC);
            race(context, Schedule { ground, deletes: DELETES / 8, ..main_schedule(context) })
        }),
        Test::new(
            "atomicity::a_recycled_element_is_never_deleted_for_its_former_entry",
            On::Series,
            recycling,
        ),
        Test::new("atomicity::a_whole_value_is_compared_in_one_step", On::Series, |context| {
            let gc = Gc::CompareWhole;
            race(context, Schedule { gc, deletes: DELETES / 10, ..main_schedule(context) })
        }),
        v3("atomicity::a_replaced_version_is_never_deleted_lru", Gc::CompareVersion, lru),
        v3("atomicity::a_replaced_version_is_never_deleted_lru_no_common_list", Gc::CompareVersion, || {
            Ground::lru(abi::BPF_F_NO_COMMON_LRU, Room::Ample)
        }),
        v3("atomicity::a_replaced_version_is_never_deleted_beside_eviction", Gc::CompareVersion, scarce),
        v3("atomicity::a_replaced_version_is_never_deleted_in_a_batch", Gc::CompareBatch, hash),
        v3("atomicity::a_replaced_version_is_never_deleted_in_a_batch_lru", Gc::CompareBatch, lru),
        v3(
            "atomicity::a_replaced_version_is_never_deleted_in_a_batch_beside_eviction",
            Gc::CompareBatch,
            || Ground::lru(0, Room::Scarce),
        ),
    ]
}

fn hash() -> Ground {
    Ground::hash(0)
}

fn lru() -> Ground {
    Ground::lru(0, Room::Ample)
}

fn scarce() -> Ground {
    Ground::lru(0, Room::Scarce)
}

fn main_schedule(context: &Context) -> Schedule {
    let Context { race_limit: limit, cpus, .. } = *context;
    Schedule { gc: Gc::CompareVersion, ground: hash(), keys: KEYS, deletes: 0, limit, cpus }
}

/// A race that the series `rfc` has not.
fn v3(name: &'static str, gc: Gc, ground: fn() -> Ground) -> Test {
    Test::new(name, On::Series, move |context| {
        if Series::of_this_kernel() == Series::Rfc {
            return Ok(Verdict::Skip("this series has it not".into()));
        }
        let ground = ground();
        // Most entries are evicted before they can be deleted.
        let deletes = if ground.room == Room::Scarce { DELETES / 50 } else { DELETES / 10 };
        race(context, Schedule { gc, ground, deletes, ..main_schedule(context) })
    })
}

fn race(context: &Context, schedule: Schedule) -> Result<Verdict> {
    let deletes = if context.quick { schedule.deletes / 10 } else { schedule.deletes };
    Ok(judge(context, &run(&Schedule { deletes, ..schedule })?))
}

fn judge(context: &Context, report: &Report) -> Verdict {
    if !report.is_clean() {
        let seen: Vec<_> =
            std::iter::once(report.to_string()).chain(report.breaches.iter().take(5).cloned()).collect();
        return Verdict::Fail(seen.join("; "));
    }
    // Where no entry was replaced between look-up and delete, the sides never met.
    if report.counts.mismatches == 0 {
        return proves_nothing(context, format!("no entry was replaced in time: {report}"));
    }
    if report.evicts && report.settlement.unclaimed == 0 {
        return proves_nothing(context, format!("nothing was evicted: {report}"));
    }
    Verdict::Pass(report.to_string())
}

/// That a race did not come about is no wonder on one CPU, and a fault of the test on several.
fn proves_nothing(context: &Context, seen: String) -> Verdict {
    if context.cpus == 1 { Verdict::Skip(format!("one CPU: {seen}")) } else { Verdict::Fail(seen) }
}

/// A map of a few elements: what is deleted is given to another entry at once.
fn recycling(context: &Context) -> Result<Verdict> {
    let deletes = DELETES / 20;
    race(context, Schedule { keys: 1, deletes, ..main_schedule(context) })
}

/// The same schedule without the series loses entries. Were it not so, the other tests would prove nothing.
fn control(name: &'static str, gc: Gc, ground: fn() -> Ground) -> Test {
    // A batch loses far more at a time.
    let step = if gc == Gc::LookUpDeleteBatch { 2_000 } else { 20_000 };
    Test::new(name, On::Both, move |context| {
        let mut tried = 0;
        while tried < DELETES {
            let report = run(&Schedule { gc, ground: ground(), deletes: step, ..main_schedule(context) })?;
            tried += step;
            if report.settlement.false_deletes > 0 {
                return Ok(Verdict::Pass(report.to_string()));
            }
        }
        Ok(proves_nothing(context, format!("no entry was lost in {tried} deletes")))
    })
}
