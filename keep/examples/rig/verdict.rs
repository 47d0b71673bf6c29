// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether live flows were left alone.

use anyhow::{Result, ensure};

use super::flows::Talked;
use super::run::HALF;

/// What the datapath has counted until the live flows ended.
pub struct Verdict {
    /// Flows that were there to be opened.
    pub flows: u64,
    pub opened: u64,
    /// Packets of connections without an entry.
    pub missed: u64,
}

impl Verdict {
    /// No packet of a live flow was dropped, and none had to be opened twice.
    pub fn check(&self, talked: &[Talked]) -> Result<()> {
        let Self { flows, opened, missed } = self;
        let pause = talked.iter().map(|flow| flow.pause).max().unwrap_or_default();
        ensure!(
            pause < HALF,
            "a flow that was to live could not send for {pause:?}, more than half a lifetime: this machine is too busy to tell"
        );
        let unanswered: u64 = talked.iter().map(|flow| flow.messages - flow.answers).sum();
        ensure!(
            *missed == 0 && unanswered == 0,
            "{missed} packets of live connections were dropped, and {unanswered} messages had no answer"
        );
        ensure!(
            opened == flows,
            "{flows} flows were opened {opened} times: the entries of live ones were deleted"
        );
        Ok(())
    }
}
