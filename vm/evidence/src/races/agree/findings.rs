// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was asked for, and what was found in a cell's evidence.

use approaches::Since;
use results::races::Violation;

/// What was asked for, and how far it came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// No more than the model.
    pub model_only: bool,
    /// Why evidence may be missing; may be empty.
    pub cut_short: &'a str,
    /// The oldest kernel that was asked.
    pub kernel: Option<Since>,
    /// No debugger was beside it: what takes one to hold cannot be replayed, and that is nobody's fault.
    pub no_debugger: bool,
    /// A kernel that preempts packets (`PREEMPT_RT`) was asked, which the model knows nothing of and no cell claims to stand: what
    /// breaks there is noted.
    pub preempts_packets: bool,
}

/// Where to look when the kernel shows what the model of a cell has no schedule for.
pub type Elsewhere<'a> = &'a dyn Fn(Violation) -> String;

/// What was found in a cell's evidence.
#[derive(Debug, Default)]
pub struct Findings {
    /// What contradicts the rest.
    pub wrong: Vec<String>,
    /// What should be there.
    pub missing: Vec<String>,
    /// What agrees, or is worth knowing.
    pub notes: Vec<String>,
}

impl Findings {
    /// A map that was to evict did not. On a kernel that preempts packets nothing is claimed that rests on it.
    pub fn evicted_nothing(&mut self, with: &str, terms: Terms<'_>) {
        let said = format!("{with}the map evicted nothing, so the stress says nothing of evictions");
        if terms.preempts_packets { self.notes.push(said) } else { self.missing.push(said) }
    }
}
