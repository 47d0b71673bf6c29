// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the evidence of one cell comes to, in a word.

use results::races::Violation;

use super::row::{Row, Standing};

/// How a gc strategy does with the discipline on one map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All evidence agrees that nothing goes wrong.
    Safe,
    /// All evidence agrees that this does.
    Unsafe(Violation),
    /// There is no evidence but the model's.
    SafeInTheModel,
    /// The same.
    UnsafeInTheModel(Violation),
    /// The kernel's own no.
    Refused,
    /// Evidence contradicts itself or is missing.
    Undecided,
}

/// What the evidence of a cell comes to.
pub fn verdict(row: &Row) -> Verdict {
    let worst = row.model.as_ref().and_then(|model| model.counterexamples.keys().next().copied());
    match (row.standing, worst) {
        (Standing::Agree, None) => Verdict::Safe,
        (Standing::Agree, Some(worst)) => Verdict::Unsafe(worst),
        (Standing::Absent | Standing::ModelOnly, None) => Verdict::SafeInTheModel,
        (Standing::Absent | Standing::ModelOnly, Some(worst)) => Verdict::UnsafeInTheModel(worst),
        (Standing::Refused, _) => Verdict::Refused,
        (Standing::Disagree | Standing::Missing, _) => Verdict::Undecided,
    }
}
