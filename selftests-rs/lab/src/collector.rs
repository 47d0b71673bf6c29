// SPDX-License-Identifier: MIT OR Apache-2.0
//! GC from user space: a round takes the clock, waits for a grace period if told to, takes a snapshot and has a
//! strategy remove what had expired. Strategies that need no snapshot walk the map themselves.

use anyhow::{Context as _, Result, bail};
use approaches::{Form, Runs, Strategy};
use cmpdel_uapi_raw::{Elements, Errno, Snapshot};
use rustix::thread::{MembarrierCommand, membarrier};

use crate::claims::{Claims, Expired, Remove, Walk, require};
use crate::gate::Stop;
use crate::gc;
use crate::load::Denied;
use crate::pinned::OnFlowCpu;
use crate::program::Program;
use crate::swap::Swap;
use crate::target::Target;
use crate::timers::Timers;
use crate::value::lifetime_of;

/// A strategy at work.
pub struct Collector<'a> {
    target: Target<'a>,
    grace: bool,
    work: Work<'a>,
    snapshot: Snapshot,
    room: u32,
}

enum Work<'a> {
    Remove(Elements<'a>, Box<dyn Remove + 'a>),
    Walk(Box<dyn Walk + 'a>),
    Timers(Box<Timers>),
}

/// Has a strategy that works on a snapshot do so; `None` if it needs none.
///
/// # Errors
/// [`Denied`].
pub fn on_snapshot<'a>(
    strategy: &Strategy,
    target: Target<'a>,
) -> Result<Option<Box<dyn Remove + 'a>>, Denied> {
    let remove: Box<dyn Remove + 'a> = match strategy.runs {
        Runs::UserSpace => {
            let open = gc::named(strategy.name).with_context(|| format!("no file for {}", strategy.name))?;
            open(target)?
        }
        Runs::Program(_, Form::Walk) | Runs::Timer { .. } | Runs::Swap | Runs::Arena => return Ok(None),
        Runs::Program(object, form) => {
            if strategy.patched {
                // The verifier does not know which maps and values a series takes: ask it.
                let free = Program::load(object, Form::Single, Target { gated: false, ..target })?;
                require(&format!("`{object}` on an absent key"), free.answer_to_absent()?)?;
            }
            Box::new(Program::load(object, form, target)?)
        }
        Runs::OnFlowCpu(object) => Box::new(OnFlowCpu::load(object, target)?),
    };
    Ok(Some(remove))
}

/// Entries asked for in a batch at first, as Cilium asks.
const BATCH: u32 = 1024;

impl<'a> Collector<'a> {
    /// Opens `strategy` on `target`.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(strategy: &Strategy, grace: bool, target: Target<'a>) -> Result<Self, Denied> {
        let work = match (strategy.runs, on_snapshot(strategy, target)?) {
            (_, Some(remove)) => Work::Remove(target.elements()?, remove),
            (Runs::Program(object, form), None) => Work::Walk(Box::new(Program::load(object, form, target)?)),
            (Runs::Swap, None) => Work::Walk(Box::new(Swap::open(target)?)),
            (Runs::Timer { .. }, None) => Work::Timers(Box::new(Timers::open(target)?)),
            (Runs::Arena | Runs::UserSpace | Runs::OnFlowCpu(_), None) => {
                return Err(anyhow::anyhow!("the arena has a collector of its own").into());
            }
        };
        Ok(Self { target, grace, work, snapshot: Snapshot::default(), room: BATCH })
    }

    /// One round over the whole map.
    ///
    /// # Errors
    /// What makes a run void.
    pub fn round(&mut self, claims: &mut dyn Claims) -> Result<()> {
        if let Work::Timers(timers) = &mut self.work {
            timers.round(claims);
            return Ok(());
        }
        let stop = self.stop();
        stop.before("read_clock")?;
        let now = self.target.now();
        if self.grace {
            stop.before("grace")?;
            membarrier(MembarrierCommand::Global).context("membarrier(2) says no to a grace period")?;
        }
        match &mut self.work {
            Work::Walk(walk) => walk.walk(now, claims),
            Work::Remove(..) => self.by_snapshot(now, claims),
            Work::Timers(_) => Ok(()),
        }
    }

    fn stop(&self) -> Stop<'a> {
        self.target.stop()
    }

    /// One batch after the other, each judged and collected before the next is taken.
    fn by_snapshot(&mut self, now: u32, claims: &mut dyn Claims) -> Result<()> {
        let mut position = None;
        loop {
            self.stop().before("snapshot")?;
            let Work::Remove(elements, work) = &mut self.work else { return Ok(()) };
            position = match elements.look_up_batch(position.as_ref(), self.room, &mut self.snapshot) {
                Ok(next) => next,
                Err(Errno(libc::ENOSPC)) => {
                    self.room *= 2;
                    continue;
                }
                // RHASH: the key at which it was to go on is gone, so it begins anew.
                Err(Errno(libc::EAGAIN)) => {
                    position = None;
                    continue;
                }
                // Whoever holds the lock of a bucket was not let on for a long time. There will be another round.
                Err(errno @ Errno(libc::ETIMEDOUT)) => {
                    claims.error(errno);
                    return Ok(());
                }
                Err(errno) => bail!("BPF_MAP_LOOKUP_BATCH failed: {errno}"),
            };
            let expired: Vec<_> = self
                .snapshot
                .entries(elements)
                .filter(|(_, value)| lifetime_of(value) < now)
                .map(|(key, value)| Expired { key, value })
                .collect();
            if !expired.is_empty() {
                work.remove(&expired, now, claims)?;
            }
            if position.is_none() {
                return Ok(());
            }
        }
    }
}
