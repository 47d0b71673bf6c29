// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who takes part. Nobody has to begin, so a scenario holds every smaller one: without packets, without a third flow,
//! without a tick. Only what a full product would make too large to explore is a scenario of its own.

use results::races::{Circumstance, Violation};

/// How A's lifetime stands to the clock at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Over. Where maps take turns: A is in the previous one.
    Expired,
    /// Over once the clock ticks. Where maps take turns: A is in the current one.
    AtTick,
}

/// How the packets of A are spread over the CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steering {
    /// All on one CPU, one after the other.
    Pinned,
    /// Two at once on two CPUs.
    Spread,
}

/// One way to begin.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// A's lifetime.
    pub start: Start,
    /// At most that many packets of A, two at the most.
    pub packets: u8,
    /// At most that many gc rounds, two at the most.
    pub gcs: u8,
    /// Whether somebody who follows no protocol takes part.
    pub agent: bool,
    /// Whether a third flow takes elements, and A's next packet looks.
    pub others: bool,
    /// What counts here.
    pub counts: &'static [Violation],
}

const CLAIMS: &[Violation] = &[Violation::DoubleDelete, Violation::NeverRemoved];

impl Scenario {
    /// The scenarios of a cell: one gc round with two packets of A and everybody else, then two rounds at once with one
    /// packet, in which only claims and liveness count, since one round alone shows everything else.
    #[must_use]
    pub fn all(steering: Steering) -> Vec<Self> {
        let one = Self::starts(2, 1, true);
        let two = Self::starts(1, 2, false).map(|scenario| Self { counts: CLAIMS, ..scenario });
        match steering {
            Steering::Pinned => [one, two].concat(),
            Steering::Spread => one.to_vec(),
        }
    }

    /// The same in circumstances that are worse.
    #[must_use]
    pub fn worse(circumstance: Circumstance) -> Vec<Self> {
        match circumstance {
            Circumstance::Spread | Circumstance::Collision => Self::starts(2, 1, true),
            Circumstance::TwoCollectors => Self::starts(2, 2, true),
            Circumstance::AgentUpdates | Circumstance::AgentStores | Circumstance::HandDeletes => {
                Self::starts(2, 1, true).map(|scenario| Self { agent: true, ..scenario })
            }
        }
        .to_vec()
    }

    /// Two swaps of maps that take turns, with all packets: one swap alone never takes away what a packet has seen.
    #[must_use]
    pub fn turns() -> Vec<Self> {
        Self::starts(2, 2, true).to_vec()
    }

    fn starts(packets: u8, gcs: u8, others: bool) -> [Self; 2] {
        [Start::Expired, Start::AtTick].map(|start| Self {
            start,
            packets,
            gcs,
            agent: false,
            others,
            counts: &Violation::ALL,
        })
    }
}
