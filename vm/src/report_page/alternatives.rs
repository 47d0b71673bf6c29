// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the figures say of an alternative, and where it is the better one.

use results::bench::{FlowState, Group, Row};

use super::{
    figures::{Figures, comparable, ratio},
    group,
    page::Finding,
    words::{count, listed, times, value},
};

impl Figures {
    /// What the figures say of strategies, beside the proposal's own.
    pub fn findings(&self, gcs: &[&str]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.removals(gcs).into_iter().collect();
        if gcs.contains(&"arena") {
            findings.extend(self.arena());
        }
        findings
    }

    /// What a removed entry costs with each of `gcs`, against compare and compare-batch in the same job.
    fn removals(&self, gcs: &[&str]) -> Option<Finding> {
        let size = |row: &Row| row.measure.job.as_ref().map(|job| (job.entries, job.expired_percent));
        let cost = |row: &Row| row.measure.job.as_ref().map_or(0.0, |job| job.per_entry_removed);
        let rows: Vec<(&str, &Row)> =
            gcs.iter().filter_map(|gc| Some((*gc, self.round(gc).filter(|row| cost(row) > 0.0)?))).collect();
        let (_, first) = rows.first()?;
        let (entries, percent) = size(first)?;
        let ours: Vec<(&str, &Row)> =
            ["compare", "compare-batch"].into_iter().filter_map(|gc| Some((gc, self.round(gc)?))).collect();
        let (mut said, mut cheaper) = (Vec::new(), Vec::new());
        for (gc, row) in
            rows.iter().filter(|(_, row)| size(row) == size(first) && row.measure.unit == first.measure.unit)
        {
            let against: Vec<(&str, f64)> = ours
                .iter()
                .filter(|(name, other)| {
                    name != gc
                        && size(other) == size(row)
                        && cost(other) > 0.0
                        && comparable(row, other).is_ok()
                })
                .map(|(name, other)| (*name, cost(row) / cost(other)))
                .collect();
            let ratios: Vec<String> =
                against.iter().map(|(name, ratio)| format!("{} {name}", times(*ratio))).collect();
            let ratios = if ratios.is_empty() { String::new() } else { format!(" ({})", ratios.join(", ")) };
            said.push(format!("{gc} {}{ratios}", value(cost(row))));
            if !group::is_ours(gc) && !against.is_empty() && against.iter().all(|(_, ratio)| *ratio < 1.0) {
                cheaper.push(*gc);
            }
        }
        let end = if cheaper.is_empty() {
            String::new()
        } else {
            format!(" On cost alone, better than any form of the proposal here: {}.", listed(&cheaper))
        };
        let text = format!(
            "To remove an entry takes, in {} ({} entries, {percent} % expired, {}): {}.{end}",
            first.measure.unit,
            count(entries),
            first.origin.accel,
            said.join("; "),
        );
        Some(Finding { text, links: vec![("growth".into(), "job".into())] })
    }

    /// What a packet of a live entry costs with each of `disciplines`, against plain store.
    pub fn packets(&self, disciplines: &[&str]) -> Option<Finding> {
        let store = self.packet("store", FlowState::Live)?;
        let said: Vec<String> = disciplines
            .iter()
            .filter(|discipline| **discipline != "store")
            .filter_map(|discipline| {
                let row = self.packet(discipline, FlowState::Live)?;
                let over = ratio(row, store).ok()?;
                Some(format!("{discipline} {} ({} store)", value(row.measure.min), times(over)))
            })
            .collect();
        (!said.is_empty()).then(|| Finding {
            text: format!(
                "A packet of a live entry takes, in {} ({}): {}.",
                store.measure.unit,
                store.origin.accel,
                said.join("; ")
            ),
            links: vec![("live entry".into(), "live".into())],
        })
    }

    /// Whether an arena's operation is cheaper than the proposal's.
    fn arena(&self) -> Option<Finding> {
        let arena = self.group(Group::Operation).find(|row| row.measure.map == "arena")?;
        let mut said = Vec::new();
        for (operation, name) in [
            ("compare hit", "a compare that hits"),
            ("compare batch, all equal", "an element of a compare batch"),
        ] {
            let Some(ours) = self.of_series(operation, "hash") else { continue };
            if comparable(arena, ours).is_ok() && ours.measure.min > 0.0 {
                let ratio = arena.measure.min / ours.measure.min;
                said.push(format!("{} {name}", times(ratio)));
            }
        }
        if said.is_empty() {
            return None;
        }
        let better = self
            .of_series("compare batch, all equal", "hash")
            .is_some_and(|ours| arena.measure.min < ours.measure.min);
        let end = if better { ": on throughput alone the arena is better" } else { "" };
        let text = format!(
            "{} costs {} {}, {}{end}.",
            arena.measure.operation,
            value(arena.measure.min),
            arena.measure.unit,
            said.join(" and ")
        );
        Some(Finding { text, links: vec![("operations".into(), "operations".into())] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::bench;
    use super::*;

    #[test]
    fn where_an_alternative_is_cheaper_that_is_said() {
        let figures = Figures::of(&bench());
        let said = |gcs: &[&str]| {
            figures.findings(gcs).into_iter().map(|finding| finding.text).collect::<Vec<_>>().join(" ")
        };
        let program = said(&["prog-array"]);
        assert!(program.contains("prog-array 420 (0.30 × compare, 0.95 × compare-batch)"), "{program}");
        assert!(program.ends_with("better than any form of the proposal here: prog-array."), "{program}");
        assert!(!said(&["blind"]).contains("better"), "{}", said(&["blind"]));
        assert!(said(&["arena"]).contains("on throughput alone the arena is better"), "{}", said(&["arena"]));
        assert_eq!(said(&["nothing"]), "");
        let lock = figures.packets(&["lock"]).unwrap().text;
        assert!(lock.ends_with(": lock 260 (1.23 × store)."), "{lock}");
        assert!(figures.packets(&["unknown"]).is_none());
    }
}
