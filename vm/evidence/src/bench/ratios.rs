// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is compared with what, and the goals beside it. Goals are wishes: whether they are reached comes out of the rows.

use std::collections::BTreeMap;

use approaches::{Gc, Refresh};
use results::{
    BASE,
    bench::{FlowState, Group, Job, Ratio, Row, Skipped},
};

use super::compare::{incomparable, name};

/// Kernel and accel of what `calibrate` measures.
const NATIVE: &str = "native";

/// What a figure is put in relation to.
#[derive(Clone, Copy)]
enum Over {
    /// An operation on the same kernel, on the same map: what the one costs more than the other.
    Same(&'static str),
    /// An operation on the base, on the same map: what a series changes, whoever uses it.
    Base(&'static str),
}

/// An operation, its window, what it is compared with, and at most how many times as much it should cost.
type Line = (&'static str, Option<u32>, Over, Option<f64>);

const DELETE: &str = "delete hit";
/// What a series may change for whoever does not use it.
const UNTOUCHED: f64 = 1.005;

/// All that is compared: first on one kernel, where nothing but the operation differs, then between two.
const LINES: &[Line] = &[
    ("compare hit", Some(4), Over::Same(DELETE), Some(1.10)),
    ("compare hit", Some(8), Over::Same(DELETE), Some(1.10)),
    ("compare hit", Some(56), Over::Same(DELETE), None),
    ("compare mismatch", Some(4), Over::Same(DELETE), Some(1.05)),
    ("compare mismatch", Some(8), Over::Same(DELETE), Some(1.05)),
    // A batch is compared with a batch: that one call is cheaper than many is no merit of the comparison.
    ("compare batch, all equal", Some(4), Over::Same("delete batch"), Some(1.25)),
    ("compare batch, all equal", Some(8), Over::Same("delete batch"), Some(1.25)),
    ("compare batch, all equal", Some(4), Over::Same("program, array of keys"), Some(1.25)),
    ("compare batch, all equal", Some(8), Over::Same("program, array of keys"), Some(1.25)),
    ("compare-and-update hit", Some(4), Over::Same("update existing"), None),
    ("compare-and-update hit", Some(8), Over::Same("update existing"), None),
    ("compare-and-update differs", Some(8), Over::Same("update existing"), None),
    ("compare-and-update batch, all equal", Some(4), Over::Same("update batch"), None),
    ("compare-and-update batch, all equal", Some(8), Over::Same("update batch"), None),
    ("kfunc, array of keys", Some(4), Over::Same("program, array of keys"), None),
    ("kfunc update, array of keys", Some(4), Over::Same("program, array of keys"), None),
    // Who does not use it does not pay for it.
    ("look-up", None, Over::Base("look-up"), Some(UNTOUCHED)),
    ("update existing", None, Over::Base("update existing"), Some(UNTOUCHED)),
    ("delete hit", None, Over::Base(DELETE), Some(UNTOUCHED)),
    ("lookup_and_delete", None, Over::Base("lookup_and_delete"), Some(UNTOUCHED)),
    ("delete batch", None, Over::Base("delete batch"), Some(UNTOUCHED)),
    ("update batch", None, Over::Base("update batch"), Some(UNTOUCHED)),
    ("compare hit", Some(4), Over::Base(DELETE), None),
    ("compare hit", Some(8), Over::Base(DELETE), None),
    ("compare mismatch", Some(4), Over::Base(DELETE), None),
    ("compare mismatch", Some(8), Over::Base(DELETE), None),
    ("compare batch, all equal", Some(4), Over::Base(DELETE), None),
    ("compare batch, all equal", Some(8), Over::Base(DELETE), None),
    ("delete batch", None, Over::Base(DELETE), None),
    ("lookup_and_delete", None, Over::Base(DELETE), None),
    ("look-up + delete", None, Over::Base(DELETE), None),
    ("program, one key", None, Over::Base(DELETE), None),
    ("program, array of keys", None, Over::Base(DELETE), None),
    ("bpf_sys_bpf, array of keys", Some(4), Over::Base(DELETE), None),
    ("kfunc, one key", Some(4), Over::Base(DELETE), None),
    ("kfunc, array of keys", Some(4), Over::Base(DELETE), None),
];

/// What a live entry's packet costs in the datapath that races, and that others are compared with.
const STORE: Refresh = Refresh::Store;
/// Disciplines that claim to cost a live entry's packet next to nothing, and how much that may be.
const NEXT_TO_NOTHING: ([Refresh; 2], f64) = ([Refresh::HalfLifeChecked, Refresh::HalfLifeStripe], 1.05);
/// Smaller maps are about what is done once.
const LEAST_ENTRIES: u64 = 16_384;
/// Removals by the proposal should cost the same in a large map as in a small one, but for so much.
const STEADY: f64 = 1.10;

/// What of a round of GC is compared.
#[derive(Clone, Copy)]
enum Part {
    /// All of it, looks and removals.
    Round,
    /// A removal alone.
    Removal,
}

/// A strategy, what it is compared with on the same kernel and the same map, what of it, and at most how many times as much it
/// should cost.
const ROUNDS: [(Gc, Gc, Part, Option<f64>); 7] = [
    // What the stripe costs a walk: all of it, and each removal.
    (Gc::IterStripe, Gc::Iter, Part::Round, Some(1.25)),
    (Gc::IterStripe, Gc::Iter, Part::Removal, Some(1.25)),
    (Gc::ProgStripeArray, Gc::ProgArray, Part::Removal, None),
    (Gc::ProgLockArray, Gc::ProgArray, Part::Removal, None),
    (Gc::CompareBatch, Gc::IterStripe, Part::Removal, None),
    (Gc::CompareBatch, Gc::IterStripe, Part::Round, None),
    (Gc::CompareBatch, Gc::Iter, Part::Round, None),
];

/// What of it the rows give, and what may not be compared.
pub fn ratios(rows: &[Row]) -> (Vec<Ratio>, Vec<Skipped>) {
    let (mut found, refused) = operations(rows);
    found.extend(packets(rows));
    found.extend(rounds(rows));
    found.extend(growth(rows));
    // Nothing can be put in relation to what a real clock did not see: its cost is below what a reading of it takes.
    found.retain(|ratio| ratio.ratio.is_finite());
    (found, refused)
}

fn held_to(what: String, ratio: f64, goal: Option<f64>) -> Ratio {
    Ratio { what, ratio, goal, reached: goal.map(|goal| ratio <= goal) }
}

/// A live entry's packet under each discipline, against plain `store` on the same map. No kernel patch is in it, so the goals
/// are those of every kernel.
fn packets(rows: &[Row]) -> Vec<Ratio> {
    let live = |row: &&Row| row.measure.packet.as_ref().is_some_and(|packet| packet.state == FlowState::Live);
    let discipline = |row: &Row| Refresh::named(&row.measure.packet.as_ref()?.discipline);
    let mut ratios = Vec::new();
    for store in rows.iter().filter(live).filter(|row| discipline(row) == Some(STORE)) {
        // The table in an arena is of no type that store has.
        let map = |row: &Row| row.measure.map == store.measure.map || discipline(row) == Some(Refresh::Arena);
        let others = rows.iter().filter(live).filter(|row| discipline(row) != Some(STORE));
        for row in others.filter(|row| row.origin == store.origin && map(row)) {
            let claims = discipline(row).is_some_and(|discipline| NEXT_TO_NOTHING.0.contains(&discipline));
            let what = format!("{} ÷ {}", name(row), name(store));
            let goal = claims.then_some(NEXT_TO_NOTHING.1);
            ratios.push(held_to(what, row.measure.min / store.measure.min, goal));
        }
    }
    ratios
}

/// One strategy against another, each with as many entries expired in a map of the same size.
fn rounds(rows: &[Row]) -> Vec<Ratio> {
    let of = |gc: Gc| jobs(rows).filter(move |(_, job)| job.strategy == gc.name);
    let mut ratios = Vec::new();
    for (gc, other, part, goal) in ROUNDS {
        for (row, job) in of(gc) {
            let place = |job: &Job| (job.entries, job.expired_percent);
            let same =
                of(other).find(|(found, against)| found.origin == row.origin && place(against) == place(job));
            let Some((over, against)) = same else { continue };
            let (what, ratio) = match part {
                Part::Round => ("a round", row.measure.min / over.measure.min),
                Part::Removal => ("a removal", job.per_entry_removed / against.per_entry_removed),
            };
            ratios.push(held_to(format!("{}: {what} ÷ {}", name(row), name(over)), ratio, goal));
        }
    }
    ratios
}

/// Rounds over maps from [`LEAST_ENTRIES`] on.
fn jobs(rows: &[Row]) -> impl Iterator<Item = (&Row, &Job)> {
    let jobs = rows.iter().filter_map(|row| Some((row, row.measure.job.as_ref()?)));
    jobs.filter(|(_, job)| job.entries >= LEAST_ENTRIES)
}

/// The dearest removal of a strategy over its cheapest, over maps of all sizes.
fn growth(rows: &[Row]) -> Vec<Ratio> {
    let mut costs: BTreeMap<(&str, &str, u32), Vec<f64>> = BTreeMap::new();
    for (row, job) in jobs(rows) {
        let place = (job.strategy.as_str(), row.origin.kernel.as_str(), job.expired_percent);
        costs.entry(place).or_default().push(job.per_entry_removed);
    }
    let several = costs.into_iter().filter(|(_, costs)| costs.len() > 1);
    let ratio = |((strategy, kernel, share), costs): ((&str, &str, u32), Vec<f64>)| {
        let (least, most) = costs.iter().fold((f64::MAX, 0.0), |(a, b), &cost| (cost.min(a), cost.max(b)));
        let proposal = Gc::named(strategy).is_some_and(|gc| gc.family.is_proposal());
        let what =
            format!("gc {strategy}, {share} % expired, {kernel}: dearest ÷ cheapest size of map, a removal");
        held_to(what, most / least, proposal.then_some(STEADY))
    };
    several.map(ratio).collect()
}

fn operations(rows: &[Row]) -> (Vec<Ratio>, Vec<Skipped>) {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for &(operation, window, over, goal) in LINES {
        let wanted = |row: &&Row| {
            let measure = &row.measure;
            measure.group == Group::Operation && measure.operation == operation && measure.window == window
        };
        for row in rows.iter().filter(wanted) {
            let (kernel, under) = match over {
                // On a kernel of somebody else there is no other base than itself.
                Over::Base(under) if row.origin.accel == NATIVE => (NATIVE, under),
                Over::Base(under) => (BASE, under),
                Over::Same(under) => (row.origin.kernel.as_str(), under),
            };
            if row.origin.kernel == kernel && row.measure.operation == under {
                continue;
            }
            let other = rows.iter().find(|other| {
                let measure = &other.measure;
                other.origin.kernel == kernel && measure.operation == under && measure.map == row.measure.map
            });
            let Some(other) = other else { continue };
            let what = format!("{} ÷ {}", name(row), name(other));
            if let Some(reason) = incomparable(row, other) {
                let kernel = row.origin.kernel.clone();
                refused.push(Skipped { group: Group::Operation, what, kernel, reason });
                continue;
            }
            // A goal is one of a series.
            let goal = goal.filter(|_| ![BASE, NATIVE].contains(&row.origin.kernel.as_str()));
            found.push(held_to(what, row.measure.min / other.measure.min, goal));
        }
    }
    (found, refused)
}

#[cfg(test)]
mod tests {
    use results::bench::Packet;

    use super::super::compare::tests::row;
    use super::*;

    #[test]
    fn a_goal_is_held_against_the_same_kernel_first_and_then_the_base() {
        let rows = [
            row("delete hit", None, "base", 1000.0),
            row("delete hit", None, "v3", 1004.0),
            row("compare hit", Some(8), "v3", 1200.0),
        ];
        let (found, refused) = ratios(&rows);
        let reached: Vec<_> = found.iter().map(|ratio| (ratio.what.as_str(), ratio.reached)).collect();
        assert_eq!(
            reached,
            [
                ("compare hit, window 8, hash, v3 ÷ delete hit, hash, v3", Some(false)),
                ("delete hit, hash, v3 ÷ delete hit, hash, base", Some(true)),
                ("compare hit, window 8, hash, v3 ÷ delete hit, hash, base", None),
            ]
        );
        assert!(refused.is_empty());
    }

    fn packet(discipline: Refresh, map: &str, min: f64) -> Row {
        let mut row = row("packet", None, NATIVE, min);
        row.measure.group = Group::Datapath;
        row.measure.map = map.into();
        row.measure.packet = Some(Packet { discipline: discipline.name.into(), state: FlowState::Live });
        row
    }

    #[test]
    fn packets_are_compared_with_store_on_their_own_map() {
        let rows = [
            packet(Refresh::Store, "hash", 40.0),
            packet(Refresh::HalfLifeStripe, "hash", 41.0),
            packet(Refresh::Replace, "hash", 120.0),
            packet(Refresh::Store, "lru-hash", 50.0),
            packet(Refresh::HalfLifeStripe, "lru-hash", 55.0),
        ];
        let found: Vec<_> = ratios(&rows).0.iter().map(|ratio| (ratio.ratio, ratio.reached)).collect();
        assert_eq!(found, [(1.025, Some(true)), (3.0, None), (1.1, Some(false))]);
    }

    fn round(gc: Gc, entries: u64, all: f64, removal: f64) -> Row {
        let mut row = row("gc", None, NATIVE, all);
        row.measure.group = Group::Job;
        row.measure.job = Some(Job {
            strategy: gc.name.into(),
            entries,
            expired_percent: 10,
            removed: 100,
            per_entry_looked_at: 0.0,
            per_entry_removed: removal,
            system_calls: 1,
            map_bytes: 0,
            gc_bytes: 0,
        });
        row
    }

    #[test]
    fn the_stripe_of_a_walk_is_held_against_a_walk_without_one() {
        let rows = [
            round(Gc::Iter, LEAST_ENTRIES, 40_000.0, 100.0),
            round(Gc::IterStripe, LEAST_ENTRIES, 45_000.0, 150.0),
            round(Gc::Iter, 1024, 100.0, 1.0),
        ];
        let found: Vec<_> = ratios(&rows).0.iter().map(|ratio| (ratio.ratio, ratio.reached)).collect();
        assert_eq!(found, [(1.125, Some(true)), (1.5, Some(false))]);
    }

    #[test]
    fn what_costs_nothing_has_no_ratio() {
        let rows = [row("delete hit", None, "base", 0.0), row("delete hit", None, "v3", 990.0)];
        assert!(ratios(&rows).0.is_empty());
    }

    #[test]
    fn another_configuration_is_refused_and_said() {
        let mut rows = [row("delete hit", None, "base", 1000.0), row("delete hit", None, "v3", 990.0)];
        rows[1].origin.config_sha256 = "other".into();
        let (found, refused) = ratios(&rows);
        assert!(found.is_empty());
        assert!(refused[0].reason.contains("configuration"), "{}", refused[0].reason);
    }
}
