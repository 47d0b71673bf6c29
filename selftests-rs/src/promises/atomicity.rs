// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare and unlink are one step for every writer that takes the bucket lock: no version but the expected one is deleted.

use anyhow::Result;
use cmpdel_uapi::bindings as abi;

use crate::Context;
use crate::race::{Gc, Report, Schedule, run};
use crate::verdict::{On, Test, Verdict};

/// Keys of each worker in the main schedule: under emulation a writer is back at a key after some 50 µs, and a look-up and
/// a delete take a fifth of that. So most deletes succeed, and many meet a replaced entry.
const KEYS: u32 = 32;

const DELETES: u64 = 1_000_000;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("atomicity::control_look_up_compare_delete_loses_entries", On::Both, control),
        Test::new("atomicity::a_replaced_version_is_never_deleted_preallocated", On::Series, |context| {
            race(context, Schedule { deletes: DELETES, ..main_schedule(context) })
        }),
        Test::new("atomicity::a_replaced_version_is_never_deleted_not_preallocated", On::Series, |context| {
            let flags = abi::BPF_F_NO_PREALLOC;
            race(context, Schedule { flags, deletes: DELETES / 4, ..main_schedule(context) })
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
    ]
}

fn main_schedule(context: &Context) -> Schedule {
    Schedule { gc: Gc::CompareVersion, keys: KEYS, flags: 0, deletes: 0, cpus: context.cpus }
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

/// The same schedule without the series loses entries. Were it not so, the tests above would prove nothing.
fn control(context: &Context) -> Result<Verdict> {
    const STEP: u64 = 20_000;
    let mut tried = 0;
    while tried < DELETES {
        let report = run(&Schedule { gc: Gc::LookUpCompareDelete, deletes: STEP, ..main_schedule(context) })?;
        tried += STEP;
        if report.settlement.false_deletes > 0 {
            return Ok(Verdict::Pass(report.to_string()));
        }
    }
    Ok(proves_nothing(context, format!("no entry was lost in {tried} deletes")))
}
