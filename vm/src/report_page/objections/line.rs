// SPDX-License-Identifier: MIT OR Apache-2.0
//! What speaks to each objection. Data: a new strategy is one word in the lines that it belongs to.

use crate::races::{Matrix, Row};

/// What an objection is about.
pub struct Line {
    /// Its anchor.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// The reply, in substance; or the proposal's own claim.
    pub claim: &'static str,
    /// The strategies that do as it says.
    pub gcs: &'static [&'static str],
    /// The disciplines, if it names any.
    pub refreshes: &'static [&'static str],
}

/// All of them, and the proposal by the same rule.
pub const LINES: &[Line] = &[
    Line {
        id: "objection-spin-lock",
        title: "Use bpf_spin_lock",
        claim: "There is bpf_spin_lock to synchronise programs and user space.",
        gcs: &["lock-recheck", "take-restore", "prog-lock", "prog-lock-array"],
        refreshes: &["lock"],
    },
    Line {
        id: "objection-lookup-and-delete",
        title: "Use lookup_and_delete with BPF_F_LOCK",
        claim: "lookup_and_delete with BPF_F_LOCK takes the same lock.",
        gcs: &["take-restore"],
        refreshes: &[],
    },
    Line {
        id: "objection-program",
        title: "Use a syscall program",
        claim: "A syscall program, triggered from user space, can work on the same map.",
        gcs: &["prog", "prog+grace", "prog-array", "prog-lock", "prog-lock-array", "iter"],
        refreshes: &[],
    },
    Line {
        id: "objection-arena",
        title: "Use an arena",
        claim: "Convert everything to an arena and use any algorithm.",
        gcs: &["arena"],
        refreshes: &[],
    },
    Line {
        id: "objection-nothing",
        title: "Do nothing, or check again",
        claim: "Leave the kernel as it is: delete by key, or look up once more before it.",
        gcs: &["blind", "blind+grace", "recheck", "recheck+grace", "lock-recheck"],
        refreshes: &[],
    },
    Line {
        id: "objection-proposal",
        title: "The proposal, by the same rule",
        claim: "BPF_F_COMPARE: compare and unlink under the bucket lock.",
        gcs: &[
            "compare",
            "compare+grace",
            "compare-batch",
            "compare-batch+grace",
            "prog-sysbpf",
            "prog-kfunc",
        ],
        refreshes: &[],
    },
];

impl Line {
    /// The cells that speak to it.
    pub fn cells<'a>(&self, matrix: &'a Matrix) -> Vec<&'a Row> {
        let said = |names: &[&str], name: &String| names.is_empty() || names.contains(&name.as_str());
        let speaks = |row: &&Row| said(self.gcs, &row.cell.gc) && said(self.refreshes, &row.cell.refresh);
        matrix.rows.iter().filter(speaks).collect()
    }
}
