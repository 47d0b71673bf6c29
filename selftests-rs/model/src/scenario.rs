// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who takes part. Nobody has to begin, so a scenario holds every smaller one: without packets, without a third flow,
//! without a tick. Only what a full product would make too large to explore is a scenario of its own.

use results::races::Violation;

/// How A's lifetime stands to the clock at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Over.
    Expired,
    /// Over once the clock ticks.
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
    /// A's packets.
    pub steering: Steering,
    /// At most that many packets of A, two at the most.
    pub packets: u8,
    /// At most that many gc rounds, two at the most; two run at once.
    pub gcs: u8,
    /// Whether a third flow takes elements, and A's next packet looks.
    pub others: bool,
    /// What counts here.
    pub counts: &'static [Violation],
}

impl Scenario {
    /// The scenarios of a cell: one gc round with two packets of A and everybody else, then two rounds with one packet, in
    /// which only claims and liveness count, since one round alone shows everything else.
    #[must_use]
    pub fn all(steering: Steering) -> Vec<Self> {
        const CLAIMS: &[Violation] = &[Violation::DoubleDelete, Violation::NeverRemoved];
        let starts = [Start::Expired, Start::AtTick];
        let one = starts.map(|start| Self {
            start,
            steering,
            packets: 2,
            gcs: 1,
            others: true,
            counts: &Violation::ALL,
        });
        let two =
            starts.map(|start| Self { start, steering, packets: 1, gcs: 2, others: false, counts: CLAIMS });
        match steering {
            Steering::Pinned => [one, two].concat(),
            Steering::Spread => one.to_vec(),
        }
    }
}
