// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the clock counts, found out by running loops of known length, and what it costs to read it.

use anyhow::{Result, ensure};
use cmpdel_uapi_raw::{timed_loop, timed_nothing};
use results::bench::Unit;

/// Turns of the shorter loop, of two instructions each.
const ROUNDS: u64 = 1_000_000;
/// Readings of which the least is taken.
const READINGS: u32 = 200;
/// A clock that counts instructions may be off by so much: it goes through the frequency that the kernel measured.
const PRECISION: f64 = 0.001;

/// The clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// What it counts.
    pub unit: Unit,
    /// What a figure holds of the reading.
    pub floor: u64,
}

impl Clock {
    /// Finds out. Instructions are believed only if `counting` says that they may be.
    ///
    /// # Errors
    /// The clock should count instructions and does not.
    pub fn found(counting: bool) -> Result<Self> {
        let floor = (0..READINGS).map(|_| timed_nothing()).min().unwrap_or(0);
        if !counting {
            return Ok(Self { unit: Unit::Ns, floor });
        }
        // The difference of two loops: the call and the reading cancel out. The least of several, as an interrupt may come in between.
        let least = |rounds| (0..5).filter_map(|_| timed_loop(rounds)).min();
        let (Some(one), Some(three)) = (least(ROUNDS), least(3 * ROUNDS)) else {
            anyhow::bail!("no loop of known length is written for this machine: its clock cannot be checked");
        };
        let counted = three.saturating_sub(one) as f64;
        let run = (2 * 2 * ROUNDS) as f64;
        ensure!(
            (counted / run - 1.0).abs() <= PRECISION,
            "the clock does not count instructions: {run} of them took {counted} units; QEMU wants -icount \
             shift=0,sleep=off and one vCPU"
        );
        Ok(Self { unit: Unit::Instructions, floor })
    }
}
