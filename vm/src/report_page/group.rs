// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose a gc strategy is. Data: a new strategy is one word in one line.

/// Who proposes a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// What datapaths do today, and what the reply leaves as it is.
    Today,
    /// The reply names it.
    Reply,
    /// It takes the series.
    Proposal,
}

/// A row group of the matrix.
pub struct Line {
    /// Its head.
    pub title: &'static str,
    /// Whose it is.
    pub of: Of,
    /// The strategies, without `+grace`.
    pub gcs: &'static [&'static str],
}

/// All of them, in the order of the matrix.
pub const LINES: &[Line] = &[
    Line { title: "Done today", of: Of::Today, gcs: &["blind", "recheck"] },
    Line { title: "The reply: BPF_F_LOCK", of: Of::Reply, gcs: &["lock-recheck", "take-restore"] },
    Line {
        title: "The reply: a program on the same map",
        of: Of::Reply,
        gcs: &["prog", "prog-array", "iter"],
    },
    Line {
        title: "The reply: bpf_spin_lock in that program",
        of: Of::Reply,
        gcs: &["prog-lock", "prog-lock-array"],
    },
    Line { title: "The reply: an arena", of: Of::Reply, gcs: &["arena"] },
    Line {
        title: "The proposal: compare and delete",
        of: Of::Proposal,
        gcs: &["compare", "compare-batch", "prog-sysbpf", "prog-kfunc", "seal"],
    },
];

/// For a strategy that no line names.
const OTHERS: &str = "Others";

fn bare(gc: &str) -> &str {
    gc.strip_suffix("+grace").unwrap_or(gc)
}

/// Whose `gc` is, if a line names it.
pub fn owner(gc: &str) -> Option<Of> {
    LINES.iter().find(|line| line.gcs.contains(&bare(gc))).map(|line| line.of)
}

/// The proposal's own stand out.
pub fn is_ours(gc: &str) -> bool {
    owner(gc) == Some(Of::Proposal)
}

/// `gcs` by line, in the order given; none is left out.
pub fn of<'a>(gcs: &[&'a str]) -> Vec<(&'static str, Vec<&'a str>)> {
    let mut groups: Vec<(&'static str, Vec<&str>)> = LINES
        .iter()
        .map(|line| (line.title, gcs.iter().copied().filter(|gc| line.gcs.contains(&bare(gc))).collect()))
        .collect();
    groups.push((OTHERS, gcs.iter().copied().filter(|gc| owner(gc).is_none()).collect()));
    groups.retain(|(_, gcs)| !gcs.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_has_its_place_and_a_strange_one_is_shown_as_well() {
        let groups = of(&["compare+grace", "blind", "new"]);
        assert_eq!(
            groups,
            [
                ("Done today", vec!["blind"]),
                ("The proposal: compare and delete", vec!["compare+grace"]),
                ("Others", vec!["new"])
            ]
        );
    }

    #[test]
    fn the_lines_name_every_strategy_of_the_lab() {
        let table = include_str!("../../../selftests-rs/lab/src/gc.rs");
        let modules = table.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
        let unnamed: Vec<String> =
            modules.map(|module| module.replace('_', "-")).filter(|gc| owner(gc).is_none()).collect();
        assert!(unnamed.is_empty(), "{unnamed:?}");
    }
}
