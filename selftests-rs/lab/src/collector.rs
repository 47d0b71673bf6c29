// SPDX-License-Identifier: MIT OR Apache-2.0
//! GC from user space: a round takes the clock, waits for a grace period if told to, takes a snapshot and has a
//! strategy remove what had expired. Strategies that need no snapshot walk the map themselves.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering::SeqCst;

use anyhow::{Context as _, Result, bail};
use approaches::{Form, Runs, Strategy};
use cmpdel_uapi::Map;
use cmpdel_uapi_raw::{Elements, Errno, Snapshot};
use results::races::Refusal;
use rustix::thread::{MembarrierCommand, membarrier};

use crate::clock::monotonic;
use crate::datapath::Datapath;
use crate::gate::Stop;
use crate::gc;
use crate::generations::Swap;
use crate::layout::{Control, Fate};
use crate::load::Denied;
use crate::pinned::OnFlowCpu;
use crate::program::Program;
use crate::timers::Timers;

pub use crate::value::lifetime_of;

/// What a strategy is opened on.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The map under test.
    pub map: BorrowedFd<'a>,
    /// Clock and gates.
    pub control: &'a Control,
    /// The datapath that has both, for collectors that share more with it.
    pub datapath: &'a Datapath,
    /// Stop at gates.
    pub gated: bool,
}

/// An expired entry of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Expired<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// Its value when it was copied out.
    pub value: &'a [u8],
}

/// Told of the fate of each entry that a round was to remove.
pub trait Claims {
    /// The collector says that this came of the entry at `key`. It was expired at `lifetime`, as far as it knew.
    /// By `done`, in ns, it was.
    fn claim(&mut self, key: &[u8], lifetime: u32, fate: Fate, done: u64);
    /// A map operation failed otherwise.
    fn error(&mut self, errno: Errno);
    /// So many entries went of which nothing is known by key: with a map that nobody uses any more, where some of them were
    /// copied to the next map before, or by a walk that nobody listens to.
    fn dropped(&mut self, entries: u64);
    /// It wants to know when.
    fn wants_times(&self) -> bool {
        true
    }
}

/// Removes entries that a snapshot showed to have expired before `now`.
pub trait Remove: Send {
    /// Removes them, each if it must.
    ///
    /// # Errors
    /// What makes a run void. That an entry could not be removed is a claim.
    fn remove(&mut self, expired: &[Expired<'_>], now: u32, claims: &mut dyn Claims) -> Result<()>;
}

/// Finds and removes expired entries by itself.
pub trait Walk: Send {
    /// Does so once.
    ///
    /// # Errors
    /// What makes a run void.
    fn walk(&mut self, now: u32, claims: &mut dyn Claims) -> Result<()>;
}

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

impl<'a> Target<'a> {
    /// The time, as this target's collector takes it.
    pub fn now(&self) -> u32 {
        self.control.now.load(SeqCst)
    }

    /// The gate of the collector, if it is to stop.
    pub fn stop(&self) -> Stop<'a> {
        Stop(self.gated.then_some(self.control))
    }

    /// The elements of the map under test.
    ///
    /// # Errors
    /// When the map is not of plain values.
    pub fn elements(&self) -> Result<Elements<'a>> {
        Elements::new(self.map).context("cannot use the map under test")
    }
}

/// What came of a delete.
pub fn tell(claims: &mut dyn Claims, entry: &Expired<'_>, answer: Result<(), Errno>) {
    match answer {
        Ok(()) => tell_fate(claims, entry, Fate::Removed),
        Err(Errno(libc::ENOENT)) => tell_fate(claims, entry, Fate::Absent),
        Err(errno) => {
            claims.error(errno);
            tell_fate(claims, entry, Fate::Error);
        }
    }
}

/// The entry is live, and stays.
pub fn tell_kept(claims: &mut dyn Claims, entry: &Expired<'_>) {
    tell_fate(claims, entry, Fate::Kept);
}

/// What came of an entry.
pub fn tell_fate(claims: &mut dyn Claims, entry: &Expired<'_>, fate: Fate) {
    let done = if claims.wants_times() { monotonic() } else { 0 };
    claims.claim(entry.key, lifetime_of(entry.value), fate, done);
}

/// An error of compare-and-delete: counted if the kernel said it of this entry.
///
/// # Errors
/// Any other, since it says something about the run.
pub fn tell_error(claims: &mut dyn Claims, entry: &Expired<'_>, error: &cmpdel_uapi::Error) -> Result<()> {
    match errno_of(error) {
        Some(errno) => {
            claims.error(errno);
            tell_fate(claims, entry, Fate::Error);
            Ok(())
        }
        None => bail!("compare-and-delete failed: {error}"),
    }
}

/// The map, if the kernel compares and deletes on it.
///
/// # Errors
/// [`Denied::Refused`] where it does not.
pub fn supported(fd: BorrowedFd<'_>) -> Result<Map<'_>, Denied> {
    let map = Map::new(fd).context("cannot use the map under test")?;
    map.check().map(|()| map).map_err(unsupported)
}

/// A refusal, where that is what the library says of kernel and map.
pub fn unsupported(error: cmpdel_uapi::Error) -> Denied {
    use cmpdel_uapi::Error::{UnsupportedBatch, UnsupportedKernel, UnsupportedMap};
    let (errno, call) = match error {
        UnsupportedKernel => ("EINVAL", "BPF_MAP_DELETE_ELEM"),
        UnsupportedBatch { .. } => ("EINVAL", "BPF_MAP_DELETE_BATCH"),
        UnsupportedMap { .. } => ("EOPNOTSUPP", "BPF_MAP_DELETE_ELEM"),
        other => return anyhow::Error::new(other).into(),
    };
    Denied::Refused(Refusal { errno: errno.into(), text: format!("{call} with BPF_F_COMPARE: {error}") })
}

/// Takes the answer to a call on an absent key: `-ENOENT` says that the kernel takes such calls.
///
/// # Errors
/// [`Denied::Refused`] with any other.
pub fn require(what: &str, answer: Result<(), Errno>) -> Result<(), Denied> {
    match answer {
        Ok(()) | Err(Errno(libc::ENOENT)) => Ok(()),
        Err(errno) => {
            Err(Denied::Refused(Refusal { errno: errno.to_string(), text: format!("{what}: -{errno}") }))
        }
    }
}

fn errno_of(error: &cmpdel_uapi::Error) -> Option<Errno> {
    match error {
        cmpdel_uapi::Error::Os { source, .. } => source.raw_os_error().map(Errno),
        _ => None,
    }
}

/// Counts what a round does, for those who need no more.
#[derive(Debug, Default)]
pub struct Counted {
    /// Entries removed.
    pub removed: u64,
    /// Errors by name.
    pub errors: BTreeMap<String, u64>,
}

impl Claims for Counted {
    fn claim(&mut self, _: &[u8], _: u32, fate: Fate, _: u64) {
        self.removed += u64::from(fate == Fate::Removed);
    }

    fn error(&mut self, errno: Errno) {
        *self.errors.entry(errno.to_string()).or_default() += 1;
    }

    fn dropped(&mut self, entries: u64) {
        self.removed += entries;
    }

    fn wants_times(&self) -> bool {
        false
    }
}
