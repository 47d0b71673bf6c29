// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is compared with what, and the goals beside it. Goals are wishes: whether they are reached comes out of the rows.

use std::collections::BTreeMap;

use results::bench::{FlowState, Group, Ratio, Row, Skipped};

use super::compare::{incomparable, name};
use crate::series::NONE;

/// Kernel and accel of what `calibrate` measures.
const NATIVE: &str = "native";

/// What a figure is put in relation to.
#[derive(Clone, Copy)]
enum Over {
    /// An operation on the base, on the same map.
    Base(&'static str),
    /// An operation on the same kernel, on the same map.
    Same(&'static str),
}

/// An operation, its window, what it is compared with, and at most how many times as much it should cost.
type Line = (&'static str, Option<u32>, Over, Option<f64>);

const DELETE: Over = Over::Base("delete hit");

/// All that is compared.
const LINES: &[Line] = &[
    ("delete hit", None, DELETE, Some(1.00)),
    ("compare hit", Some(4), DELETE, Some(1.00)),
    ("compare hit", Some(8), DELETE, Some(1.00)),
    ("compare hit", Some(56), DELETE, Some(1.10)),
    ("compare mismatch", Some(4), DELETE, Some(0.95)),
    ("compare mismatch", Some(8), DELETE, Some(0.95)),
    ("compare batch, all equal", Some(4), DELETE, Some(0.35)),
    ("compare batch, all equal", Some(8), DELETE, Some(0.35)),
    ("compare batch, all equal", Some(4), Over::Same("program, array of keys"), Some(1.25)),
    ("compare batch, all equal", Some(8), Over::Same("program, array of keys"), Some(1.25)),
    // What the comparison itself costs, on one kernel.
    ("compare hit", Some(4), Over::Same("delete hit"), None),
    ("compare hit", Some(8), Over::Same("delete hit"), None),
    ("compare hit", Some(56), Over::Same("delete hit"), None),
    ("delete batch", None, DELETE, None),
    ("lookup_and_delete", None, DELETE, None),
    ("look-up + delete", None, DELETE, None),
    ("program, one key", None, DELETE, None),
    ("program, array of keys", None, DELETE, None),
    ("bpf_sys_bpf, array of keys", Some(4), DELETE, None),
    ("kfunc, one key", Some(4), DELETE, None),
    ("kfunc, array of keys", Some(4), DELETE, None),
];

/// Strategies whose removals should cost the same in a large map as in a small one, and by how much they may differ.
const STEADY: ([&str; 2], f64) = (["compare", "compare-batch"], 1.10);
/// Smaller maps are about what is done once.
const LEAST_ENTRIES: u64 = 16_384;
/// What a live entry's packet costs in the datapath that races, and that others are compared with.
const STORE: &str = "store";

/// What of it the rows give, and what may not be compared.
pub fn ratios(rows: &[Row]) -> (Vec<Ratio>, Vec<Skipped>) {
    let (mut found, refused) = operations(rows);
    found.extend(packets(rows));
    found.extend(growth(rows));
    // Nothing can be put in relation to what a real clock did not see: its cost is below what a reading of it takes.
    found.retain(|ratio| ratio.ratio.is_finite());
    (found, refused)
}

/// A live entry's packet under each discipline, against plain `store`.
fn packets(rows: &[Row]) -> Vec<Ratio> {
    let live = |row: &&Row| row.measure.packet.as_ref().is_some_and(|packet| packet.state == FlowState::Live);
    let named = |row: &Row| row.measure.packet.as_ref().is_some_and(|packet| packet.discipline == STORE);
    let mut ratios = Vec::new();
    for store in rows.iter().filter(live).filter(|row| named(row)) {
        let others = rows.iter().filter(live).filter(|row| !named(row) && row.origin == store.origin);
        ratios.extend(others.map(|row| Ratio {
            what: format!("{} ÷ {}", name(row), name(store)),
            ratio: row.measure.min / store.measure.min,
            goal: None,
            reached: None,
        }));
    }
    ratios
}

/// The dearest removal of a strategy over its cheapest, over maps of all sizes from [`LEAST_ENTRIES`] on.
fn growth(rows: &[Row]) -> Vec<Ratio> {
    let mut costs: BTreeMap<(&str, &str, u32), Vec<f64>> = BTreeMap::new();
    for row in rows {
        if let Some(job) = row.measure.job.as_ref().filter(|job| job.entries >= LEAST_ENTRIES) {
            let place = (job.strategy.as_str(), row.origin.kernel.as_str(), job.expired_percent);
            costs.entry(place).or_default().push(job.per_entry_removed);
        }
    }
    let several = costs.into_iter().filter(|(_, costs)| costs.len() > 1);
    let ratio = |((strategy, kernel, share), costs): ((&str, &str, u32), Vec<f64>)| {
        let (least, most) = costs.iter().fold((f64::MAX, 0.0), |(a, b), &cost| (cost.min(a), cost.max(b)));
        let goal = STEADY.0.contains(&strategy).then_some(STEADY.1);
        let ratio = most / least;
        let what =
            format!("gc {strategy}, {share} % expired, {kernel}: dearest ÷ cheapest size of map, a removal");
        Ratio { what, ratio, goal, reached: goal.map(|goal| ratio <= goal) }
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
                Over::Base(under) => (NONE, under),
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
            let goal = goal.filter(|_| ![NONE, NATIVE].contains(&row.origin.kernel.as_str()));
            let ratio = row.measure.min / other.measure.min;
            found.push(Ratio { what, ratio, goal, reached: goal.map(|goal| ratio <= goal) });
        }
    }
    (found, refused)
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::row;
    use super::*;

    #[test]
    fn a_goal_is_held_against_the_base() {
        let rows = [
            row("delete hit", None, "base", 1000.0),
            row("delete hit", None, "v2", 990.0),
            row("compare hit", Some(8), "v2", 1001.0),
        ];
        let (found, refused) = ratios(&rows);
        let of = |what: &str| found.iter().find(|ratio| ratio.what.starts_with(what)).unwrap();
        assert_eq!(of("delete hit, hash, v2").reached, Some(true));
        assert_eq!(of("compare hit, window 8, hash, v2").reached, Some(false));
        // Against the delete of the same kernel there is no goal.
        assert_eq!(found.iter().filter(|ratio| ratio.goal.is_none()).count(), 1);
        assert_eq!((found.len(), refused.len()), (3, 0));
    }

    #[test]
    fn what_costs_nothing_has_no_ratio() {
        let rows = [row("delete hit", None, "base", 0.0), row("delete hit", None, "v2", 990.0)];
        assert!(ratios(&rows).0.is_empty());
    }

    #[test]
    fn another_configuration_is_refused_and_said() {
        let mut rows = [row("delete hit", None, "base", 1000.0), row("delete hit", None, "v2", 990.0)];
        rows[1].origin.config_sha256 = "other".into();
        let (found, refused) = ratios(&rows);
        assert!(found.is_empty());
        assert!(refused[0].reason.contains("configuration"), "{}", refused[0].reason);
    }
}
