// SPDX-License-Identifier: MIT OR Apache-2.0
//! The map of a scene, and what is true of it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering::{Relaxed, Release, SeqCst};

use anyhow::{Context as _, Result, anyhow, bail};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Elements, Errno, Snapshot};
use results::races::Violations;
use results::time::Left;

use super::walk::{look, room, walk};
use crate::claims::Claims;
use crate::clock::monotonic;
use crate::collector::Collector;
use crate::datapath::{Datapath, Handled, MapKind, Packet, flow_of, key_of};
use crate::gate::Actor;
use crate::layout::{Fate, Kind, Outcome, TICK, VALUE_SIZE};
use crate::oracle::{Oracle, Settled};
use crate::stress::clear;
use crate::value::value_of;

/// The flow that all is about: it has expired when the scene begins.
pub const A: u32 = 1;
/// A flow whose entry is deleted on purpose.
pub const B: u32 = 2;
/// A live one that nobody refreshes.
pub const L: u32 = 3;
/// One that expires with the scene, and that nobody refreshes.
const E: u32 = 4;
/// New flows have the numbers after this one.
pub const C: u32 = 1000;
/// So many of them at most.
pub const NEW: u32 = 4000;
/// The tick at which the first entries were made.
const BEGAN: u32 = 100;

/// A map, and what is true of it.
pub struct World<'a> {
    datapath: &'a Datapath,
    elements: Elements<'a>,
    oracle: Mutex<Oracle>,
    evicts: bool,
}

impl<'a> World<'a> {
    /// Entries as they are when a scene begins; gates are open. `deletes`: B is there, and has expired. `later`: A has not, but
    /// is about to. `evicts`: there will be so many that the map evicts, also what is live.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_up(datapath: &'a Datapath, deletes: bool, later: bool, evicts: bool) -> Result<Self> {
        clear(datapath)?;
        for side in [Actor::Packet, Actor::Gc] {
            side.gate(datapath.control()).go.store(u64::MAX, Release);
        }
        let elements = Elements::new(datapath.map("ct4")?).context("cannot use the map under test")?;
        let oracle = if evicts { Oracle::of_evicting() } else { Oracle::default() };
        let world = Self { datapath, elements, oracle: Mutex::new(oracle), evicts };
        let timeout = datapath.settings().timeout;
        datapath.set_clock(BEGAN);
        for (flow, more) in [(A, 0), (B, 0), (E, 2), (L, 10 * timeout)] {
            if flow == B && !deletes {
                continue;
            }
            let (answer, handled) = world.update(flow, more)?;
            answer.map_err(|errno| anyhow!("cannot make the entry of flow {flow}: {errno}"))?;
            world.truth(|oracle| oracle.inserted(&handled));
        }
        datapath.set_clock(BEGAN + timeout + u32::from(!later));
        Ok(world)
    }

    /// The map under test.
    ///
    /// # Errors
    /// When it is not of plain values.
    pub fn elements(&self) -> Result<Elements<'a>> {
        Elements::new(self.datapath.map("ct4")?).context("cannot use the map under test")
    }

    /// The clock.
    pub fn now(&self) -> u32 {
        self.datapath.control().now.load(Relaxed)
    }

    /// Moves the clock past what a packet has refreshed in the scene.
    pub fn later(&self) {
        self.datapath.set_clock(BEGAN + 2 * self.datapath.settings().timeout + 3);
    }

    /// The map evicts what is live.
    pub fn evicts(&self) -> bool {
        self.evicts
    }

    /// A's value at the beginning.
    pub fn expired(&self) -> [u8; VALUE_SIZE] {
        value_of(A, (BEGAN + self.datapath.settings().timeout) * TICK + A)
    }

    /// Tells the oracle.
    pub fn truth(&self, tell: impl FnOnce(&mut Oracle)) {
        if let Ok(mut oracle) = self.oracle.lock() {
            tell(&mut oracle);
        }
    }

    /// Tells the oracle of a packet. Two packets of the flow are at it at once, and it is told of them in the order of their
    /// ends: what they saw at their beginnings says nothing of what was there. What is left in the end does.
    pub fn packet(&self, handled: Handled) {
        self.truth(|oracle| oracle.packet(&Handled { seen: 0, ..handled }));
    }

    /// Somebody says that he has removed the entry of a flow.
    pub fn claim(&self, flow: u32) {
        let now = monotonic();
        self.truth(|oracle| oracle.claimed(flow, 0, now..=now));
    }

    /// For a round of a collector.
    pub fn claims(&self) -> Claimed<'_, 'a> {
        Claimed { world: self, failed: None }
    }

    /// Gives a flow a lifetime, by system call, `more` ticks longer than a packet would; and what is to be told of it.
    ///
    /// # Errors
    /// None so far: the answer is the kernel's.
    pub fn update(&self, flow: u32, more: u32) -> Result<(Result<(), Errno>, Handled)> {
        let handled = self.handled(flow, more);
        let value = value_of(flow, handled.lifetime);
        Ok((self.elements.update(&key_of(flow), &value, abi::BPF_ANY.into()), handled))
    }

    /// What such an update does.
    pub fn handled(&self, flow: u32, more: u32) -> Handled {
        let now = self.now();
        let lifetime = now + (self.datapath.settings().timeout + more) * TICK + flow;
        Handled {
            packet: Packet { flow, kind: Kind::Open },
            now,
            seen: 0,
            began: monotonic(),
            seen_backend: 0,
            lifetime,
            outcome: Outcome::Created,
            errno: 0,
        }
    }

    /// Has the collector make a last round with a clock at which E has expired, and judges what is there then.
    ///
    /// # Errors
    /// A call that fails although nobody holds anything.
    pub fn settle(self, collector: &mut Collector<'_>) -> Result<(Violations, Left)> {
        let past_e = (BEGAN + self.datapath.settings().timeout + 3) * TICK;
        self.datapath.control().now.fetch_max(past_e, SeqCst);
        let mut claims = self.claims();
        collector.round(&mut claims)?;
        if let Some(errno) = claims.failed {
            bail!("the last round failed with {errno}");
        }
        let (elements, mut left) = (self.elements()?, HashMap::new());
        for flow in [A, B, E, L].into_iter().chain(C..C + NEW) {
            if let Some(found) = look(&elements, flow)? {
                left.insert(flow, found);
            }
        }
        let mut walked = Snapshot::default();
        walk(&elements, &mut walked).map_err(|errno| anyhow!("cannot walk the map: {errno}"))?;
        let at_first = (BEGAN + 11 * self.datapath.settings().timeout) * TICK + L;
        let live = left.get(&L).is_some_and(|found| found.lifetime >= at_first);
        let found = left.len() as u64;
        let oracle = self.oracle.into_inner().map_err(|_| anyhow!("a side of a scene panicked"))?;
        let settled = oracle.settle(self.datapath.control().now.load(Relaxed), monotonic(), &left, 0);
        let capacity = self.datapath.settings().entries;
        let left = Left {
            live: live || self.evicts && left.len() > 100,
            expired_gone: !left.contains_key(&E),
            walked: walked.count as u64,
            found,
            room: room(&elements, C + NEW, capacity)?,
            capacity: if self.datapath.settings().map == MapKind::LruHash { 0 } else { capacity.into() },
        };
        Ok((Settled::join(vec![settled]).violations, left))
    }
}

/// Takes in what a round says.
pub struct Claimed<'w, 'a> {
    world: &'w World<'a>,
    /// What a delete failed with.
    pub failed: Option<Errno>,
}

impl Claims for Claimed<'_, '_> {
    fn claim(&mut self, key: &[u8], lifetime: u32, fate: Fate, done: u64) {
        if fate == Fate::Removed {
            self.world.truth(|oracle| oracle.claimed(flow_of(key), lifetime, done..=done));
        }
    }

    fn error(&mut self, errno: Errno) {
        self.failed = Some(errno);
    }

    fn dropped(&mut self, _: u64) {}
}
