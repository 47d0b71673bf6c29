// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the best form of an approach costs beside the best form of the proposal, and the other way round. Counted and timed
//! figures are told in sentences of their own.

use results::bench::{Group, Row};

use super::{
    catalogue,
    comparison::comparable,
    figures::{BASE, DELETE, Figures},
    kinds::Evidence,
    numbers::{times, value},
    page::Finding,
    safety::{Line, cheapest_packet, cheapest_removal},
};

/// The figures of `ours`, beside those of `theirs`, called `name`.
pub fn beside(evidence: &Evidence, ours: &[&Line<'_>], theirs: &[&Line<'_>], name: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for figures in [&evidence.figures, &evidence.native] {
        let unit = unit_of(figures);
        let packet = cheapest_packet(figures, ours).map(|one| {
            format!("a packet of a live flow takes {}", against(one, cheapest_packet(figures, theirs), name))
        });
        let removal = cheapest_removal(figures, ours).map(|one| {
            format!("the removal of an entry {}", against(one, cheapest_removal(figures, theirs), name))
        });
        let said: Vec<String> = packet.into_iter().chain(removal).collect();
        if !said.is_empty() {
            let text = format!("At its cheapest, in {unit}: {}.", said.join("; "));
            findings.push(Finding { text, links: vec![("what it costs".into(), "costs".into())] });
        }
    }
    findings
}

fn unit_of(figures: &Figures) -> String {
    let row: Option<&Row> =
        figures.group(Group::Datapath).next().or_else(|| figures.group(Group::Job).next());
    row.map_or_else(String::new, |row| format!("{} ({})", row.measure.unit, row.origin.accel))
}

fn against((who, cost): (&str, f64), other: Option<(&str, f64)>, name: &str) -> String {
    match other {
        Some((whom, there)) if there > 0.0 && whom != who => {
            format!("{} ({who}), {name} {} ({whom}): {}", value(cost), value(there), times(cost / there))
        }
        Some((whom, _)) if whom == who => format!("{} ({who}), the same as {name}", value(cost)),
        _ => format!("{} ({who})", value(cost)),
    }
}

/// The same operation on a kernel with the series and on the one without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overhead {
    /// Over a plain delete on the same kernel.
    pub same_kernel: Option<f64>,
    /// Over a plain delete on the base.
    pub other_kernel: Option<f64>,
}

/// What an operation costs in relation to a plain delete, on the same map.
pub fn overhead(figures: &Figures, operation: &str, map: &str, window: Option<u32>) -> Option<Overhead> {
    let ours = figures
        .group(Group::Operation)
        .filter(|row| row.measure.operation == operation && row.measure.map == map)
        .find(|row| window.is_none() || row.measure.window == window)?;
    let over = |kernel: &str| {
        let plain = figures.operation(DELETE, map, kernel)?;
        (comparable(ours, plain).is_ok() && plain.measure.min > 0.0)
            .then(|| ours.measure.min / plain.measure.min)
    };
    Some(Overhead {
        same_kernel: over(&ours.origin.kernel),
        other_kernel: over(BASE).filter(|_| ours.origin.kernel != BASE),
    })
}

/// Every measured column of a family, with what a removal costs, on the largest map.
pub fn removals(figures: &Figures, keep: impl Fn(&str) -> bool) -> Vec<(&str, f64, &Row)> {
    let mut seen: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    for job in figures.group(Group::Job).filter_map(|row| row.measure.job.as_ref()) {
        if seen.contains(&job.strategy.as_str()) || !keep(&job.strategy) {
            continue;
        }
        seen.push(&job.strategy);
        if let Some(row) = figures.round(&job.strategy)
            && let Some(cost) = row.measure.job.as_ref().map(|job| job.per_entry_removed)
            && cost > 0.0
        {
            all.push((job.strategy.as_str(), cost, row));
        }
    }
    all
}

/// Those of the proposal.
pub fn of_the_proposal(figures: &Figures) -> Vec<(&str, f64, &Row)> {
    removals(figures, catalogue::is_proposal)
}

#[cfg(test)]
mod tests {
    use super::super::made_up::bench;
    use super::*;

    #[test]
    fn a_flag_is_weighed_on_its_own_kernel_and_against_the_base() {
        let figures = crate::figures_of(&bench());
        let over = overhead(&figures, "compare hit", "hash", Some(4)).unwrap();
        assert!(over.same_kernel.unwrap() > 1.0 && over.other_kernel.unwrap() < 1.0, "{over:?}");
        assert_eq!(overhead(&figures, "nothing", "hash", None), None);
    }

    #[test]
    fn all_columns_of_the_proposal_are_found() {
        let figures = crate::figures_of(&bench());
        let names: Vec<&str> = of_the_proposal(&figures).iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, ["compare", "compare-batch"]);
    }
}
