// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packets: a thread on each CPU sends those of one group of flows at a time. A group stays on its CPU, or moves on from
//! CPU to CPU; its packets are handled one after the other in either case.

use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Result, anyhow};

use super::{FLOWS, Shared, agent::Agent};
use crate::cpus::pin;
use crate::datapath::{Datapath, Handled, Packet};
use crate::layout::{BURST, Kind, Outcome};
use crate::oracle::Oracle;

/// Of so many packets one goes to an agent, where there is one.
const TO_AGENT: u32 = 16;
/// Bursts after which a group that moves goes to the next CPU.
const STAY: usize = 8;

/// Rounds that end before flows go on that rest: what a grace period protects is removed only of who was silent for all of it.
/// The first was under way when they fell silent; it is the second that is after them.
const REST: u64 = 1;
/// From then on they go on with one burst in so many: that may be at any point of the second round.
const WAKE: u32 = 512;

/// How flows behave.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// They go from CPU to CPU.
    pub moves: bool,
    /// Half of them rest while the others are at work.
    pub rests: bool,
}

/// Flows whose packets are handled one after the other.
pub struct Group {
    base: u32,
    /// Flows that are to be opened with their next packet.
    out: Vec<bool>,
    random: fastrand::Rng,
    /// The half that is at work, and since which round.
    half: u32,
    since: u64,
    /// What is true of them.
    pub oracle: Oracle,
    /// Packets that were to open a flow.
    pub opens: u64,
    /// Those that did not.
    pub refused: u64,
}

impl Group {
    fn new(number: usize, oracle: Oracle) -> Result<Self> {
        let base = FLOWS * u32::try_from(number)?;
        let random = fastrand::Rng::with_seed(number as u64 + 1);
        Ok(Self {
            base,
            out: vec![true; FLOWS as usize],
            random,
            half: 0,
            since: 0,
            oracle,
            opens: 0,
            refused: 0,
        })
    }

    /// The flow of the next packet.
    fn draw(&mut self, rests: bool) -> u32 {
        if rests { FLOWS / 2 * self.half + self.random.u32(..FLOWS / 2) } else { self.random.u32(..FLOWS) }
    }

    /// Has the other half at work once this one's time is over.
    fn change_over(&mut self, rounds: u64) {
        if rounds >= self.since + REST && self.random.u32(..WAKE) == 0 {
            (self.half, self.since) = (1 - self.half, rounds);
        }
    }

    fn handled(&mut self, handled: &Handled) {
        let missed = match handled.outcome {
            Outcome::Missed => true,
            // Nothing was done: the flow is as it was.
            Outcome::Failed => handled.packet.kind == Kind::Open,
            _ => false,
        };
        let opens = handled.packet.kind == Kind::Open;
        self.opens += u64::from(opens);
        self.refused += u64::from(opens && missed);
        self.out[(handled.packet.flow - self.base) as usize] = missed;
        self.oracle.packet(handled);
    }
}

/// All packets of a run.
pub struct Traffic<'a> {
    datapath: &'a Datapath,
    groups: Vec<Mutex<Group>>,
    habits: Habits,
    agent: Option<Agent<'a>>,
}

impl<'a> Traffic<'a> {
    /// A group for each of `cpus`.
    ///
    /// # Errors
    /// More CPUs than there are numbers for flows.
    pub fn new(
        datapath: &'a Datapath,
        cpus: usize,
        oracle: &Oracle,
        habits: Habits,
        agent: Option<Agent<'a>>,
    ) -> Result<Self> {
        let groups = (0..cpus).map(|number| Group::new(number, oracle.clone()).map(Mutex::new));
        Ok(Self { datapath, groups: groups.collect::<Result<_>>()?, habits, agent })
    }

    /// The packets of one CPU, until told to stop. A flow that was dropped opens again with its next packet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send(&self, cpu: usize, shared: &Shared) -> Result<()> {
        pin(cpu)?;
        let mut packets = Vec::with_capacity(BURST);
        let mut bursts = 0;
        while !shared.stop.load(Relaxed) {
            let number = if self.habits.moves { cpu + bursts / STAY } else { cpu };
            bursts += 1;
            let group = &self.groups[number % self.groups.len()];
            let mut group = group.lock().map_err(|_| anyhow!("a thread of the run panicked"))?;
            self.burst(cpu, &mut group, &mut packets, shared)?;
            drop(group);
            if cpu == 0 {
                self.datapath.tick();
            }
        }
        Ok(())
    }

    fn burst(&self, cpu: usize, group: &mut Group, packets: &mut Vec<Packet>, shared: &Shared) -> Result<()> {
        let before = (group.oracle.refreshes(), group.oracle.violations());
        let rests = self.habits.rests;
        if rests {
            group.change_over(shared.rounds.load(Relaxed));
        }
        packets.clear();
        packets.extend((0..BURST).map(|_| {
            let flow = group.draw(rests);
            let kind = if group.out[flow as usize] { Kind::Open } else { Kind::Data };
            Packet { flow: group.base + flow, kind }
        }));
        let datapath = self.datapath;
        datapath.burst(cpu, packets, |handled: Handled| group.handled(&handled))?;
        if let Some(agent) = &self.agent {
            for packet in packets.iter().take(BURST / TO_AGENT as usize) {
                if !group.out[(packet.flow - group.base) as usize] {
                    let handled = agent.refresh(datapath, cpu, packet.flow)?;
                    group.handled(&handled);
                }
            }
        }
        shared.refreshes.fetch_add(group.oracle.refreshes() - before.0, Relaxed);
        shared.violations.fetch_add(group.oracle.violations() - before.1, Relaxed);
        Ok(())
    }

    /// What became of all groups.
    ///
    /// # Errors
    /// A thread panicked.
    pub fn end(self) -> Result<Vec<Group>> {
        let gone = |_| anyhow!("a thread of the run panicked");
        self.groups.into_iter().map(|group| group.into_inner().map_err(gone)).collect()
    }
}
