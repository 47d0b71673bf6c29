// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who does something while a CPU is held.

use anyhow::{Context as _, Result, bail};
use cmpdel_uapi::{Map, Outcome as Compared, Updated, Window, bindings as abi};
use cmpdel_uapi_raw::{Errno, Snapshot};

use super::walk::walk;
use super::world::{A, B, C, L, World};
use crate::collector::Collector;
use crate::datapath::{Datapath, Packet, key_of};
use crate::layout::{Kind, LIFETIME, Outcome, VALUE_SIZE};
use crate::value::value_of;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A packet of the flow.
    Packet,
    /// A packet of another flow, which is live.
    Other,
    /// The first packet of a new flow.
    Open,
    /// An update by system call.
    Update,
    /// A look-up by system call.
    LookUp,
    /// The same with `BPF_F_LOCK`.
    LockedLookUp,
    /// A compare-and-delete of what had expired at first.
    CompareDelete,
    /// A batch of one such.
    CompareBatch,
    /// A compare-and-update of it.
    CompareUpdate,
    /// A batch of look-ups, over the whole map.
    LookUpBatch,
    /// A delete of the key that the held one is about.
    DeleteOther,
    /// A look-up that deletes it.
    Take,
    /// A round of the lab's collector.
    Collector,
    /// A round of keep's collector.
    Keep,
}

/// What a caller was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 0 is a success.
    pub errno: i32,
    /// The same in a word.
    pub word: String,
}

impl Answer {
    /// There is no such entry, as there need not be.
    fn absent() -> Self {
        Self { errno: 0, word: "absent".into() }
    }

    /// Of a call that does nothing but succeed or fail.
    pub fn of(answer: Result<(), Errno>) -> Self {
        match answer {
            Ok(()) => Self { errno: 0, word: "done".into() },
            Err(errno) => Self { errno: errno.0, word: errno.to_string() },
        }
    }
}

impl Caller {
    /// How people name it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Packet => "packet",
            Self::Other => "packet of another flow",
            Self::Open => "first packet of a new flow",
            Self::Update => "update",
            Self::LookUp => "look-up",
            Self::LockedLookUp => "look-up with BPF_F_LOCK",
            Self::CompareDelete => "compare-and-delete",
            Self::CompareBatch => "batch of compare-and-deletes",
            Self::CompareUpdate => "compare-and-update",
            Self::Take => "look-up that deletes",
            Self::LookUpBatch => "batch of look-ups",
            Self::DeleteOther => "delete",
            Self::Collector => "collector",
            Self::Keep => "keep's collector",
        }
    }
}

/// What the kernel said.
pub fn errno_of(error: &cmpdel_uapi::Error) -> Option<Errno> {
    match error {
        cmpdel_uapi::Error::Os { source, .. } => source.raw_os_error().map(Errno),
        _ => None,
    }
}

/// Gives A another lifetime, if `size` bytes from that which had expired are unchanged. An LRU map looks, lets go, and looks
/// again: somebody may have been faster.
///
/// # Errors
/// One that is not the kernel's answer.
pub fn compare_update(world: &World<'_>, map: &Map<'_>, size: u32) -> Result<Answer> {
    let (handled, seen) = (world.handled(A, 0), world.expired());
    let window = Window::at(LIFETIME, &seen[LIFETIME as usize..][..size as usize]);
    Ok(match map.update_if_eq(&key_of(A), &value_of(A, handled.lifetime), window) {
        Ok(Updated::Replaced) => {
            world.truth(|oracle| oracle.inserted(&handled));
            Answer::of(Ok(()))
        }
        Ok(outcome) => Answer { errno: 0, word: format!("{outcome:?}").to_lowercase() },
        Err(error) => {
            Answer::of(Err(errno_of(&error).with_context(|| format!("compare-and-update: {error}"))?))
        }
    })
}

/// Bytes of the lifetime, which is compared.
const WINDOW: u32 = 4;

/// What callers need, made ready before anything is held.
pub struct Callers<'a> {
    /// The map and what is true of it.
    pub world: &'a World<'a>,
    /// The map, for comparisons. The library asks for no memory that it would have to give back: that would wait for the held CPU.
    pub map: Map<'a>,
    /// What packets go through.
    pub sender: &'a Datapath,
    /// The lab's collector, where one is asked for.
    pub collector: Option<Collector<'a>>,
    /// keep's.
    pub keep: Option<keep::Collector<'a>>,
    /// For batches.
    pub snapshot: Snapshot,
    /// New flows so far.
    pub opened: u32,
}

/// The lane of packets that are not held.
const LANE: usize = 1;

impl Callers<'_> {
    /// Does what `caller` does, once.
    ///
    /// # Errors
    /// What makes the scene void.
    pub fn call(&mut self, caller: Caller) -> Result<Answer> {
        let (world, elements) = (self.world, self.world.elements()?);
        let deleted = |answer| match answer {
            Err(Errno(libc::ENOENT)) => Answer::absent(),
            answer => {
                if answer.is_ok() {
                    world.claim(B);
                }
                Answer::of(answer)
            }
        };
        Ok(match caller {
            Caller::Packet => self.packet(A, Kind::Data)?,
            Caller::Other => self.packet(L, Kind::Data)?,
            Caller::Open => {
                self.opened += 1;
                self.packet(C + self.opened, Kind::Open)?
            }
            Caller::Update => {
                let (answer, handled) = world.update(A, 0)?;
                if answer.is_ok() {
                    world.truth(|oracle| oracle.inserted(&handled));
                }
                Answer::of(answer)
            }
            // A map that evicts may have done so.
            Caller::LookUp => match elements.look_up(&key_of(L), &mut [0; VALUE_SIZE], 0) {
                Err(Errno(libc::ENOENT)) if world.evicts() => Answer::absent(),
                answer => Answer::of(answer),
            },
            Caller::LockedLookUp => {
                match elements.look_up(&key_of(A), &mut [0; VALUE_SIZE], abi::BPF_F_LOCK.into()) {
                    Err(Errno(libc::ENOENT)) => Answer::absent(),
                    answer => Answer::of(answer),
                }
            }
            Caller::CompareDelete => {
                let seen = world.expired();
                let window = Window::at(LIFETIME, &seen[LIFETIME as usize..][..WINDOW as usize]);
                self.compared(self.map.delete_if_eq(&key_of(A), window))?
            }
            Caller::CompareBatch => {
                let (key, seen, window) = (key_of(A), world.expired(), LIFETIME..LIFETIME + WINDOW);
                let batch = self.map.delete_batch_if_eq(&key, &seen, window);
                self.compared(batch.and_then(|batch| match (batch.outcomes.first(), batch.ended) {
                    (Some(&outcome), _) => Ok(outcome),
                    (None, Some(error)) => Err(error),
                    (None, None) => Ok(Compared::Absent),
                }))?
            }
            Caller::CompareUpdate => compare_update(world, &self.map, WINDOW)?,
            Caller::LookUpBatch => Answer::of(walk(&elements, &mut self.snapshot)),
            Caller::DeleteOther => deleted(elements.delete(&key_of(B))),
            Caller::Take => deleted(elements.take(&key_of(B), &mut [0; VALUE_SIZE], 0)),
            Caller::Collector => {
                let collector = self.collector.as_mut().context("no collector was made ready")?;
                let mut claims = world.claims();
                collector.round(&mut claims)?;
                Answer::of(claims.failed.map_or(Ok(()), Err))
            }
            Caller::Keep => self.keep()?,
        })
    }

    fn packet(&self, flow: u32, kind: Kind) -> Result<Answer> {
        let mut answer = None;
        self.sender.burst(LANE, &[Packet { flow, kind }], |handled| {
            self.world.packet(handled);
            answer = Some(match handled.outcome {
                Outcome::Failed => Answer::of(Err(Errno(handled.errno))),
                outcome => Answer { errno: 0, word: format!("{outcome:?}").to_lowercase() },
            });
        })?;
        answer.context("a packet said nothing")
    }

    fn compared(&self, answer: Result<Compared, cmpdel_uapi::Error>) -> Result<Answer> {
        Ok(match answer {
            Ok(Compared::Deleted) => {
                self.world.claim(A);
                Answer::of(Ok(()))
            }
            Ok(outcome) => Answer { errno: 0, word: format!("{outcome:?}").to_lowercase() },
            Err(error) => Answer::of(Err(errno_of(&error).with_context(|| format!("compare: {error}"))?)),
        })
    }

    fn keep(&mut self) -> Result<Answer> {
        let (world, collector) = (self.world, self.keep.as_mut().context("keep's collector is not there")?);
        let round = collector.round(world.now().into(), |key, outcome| {
            if outcome == keep::Outcome::Deleted {
                world.claim(crate::datapath::flow_of(key));
            }
        });
        Ok(match round {
            Ok(round) if round.busy > 0 => Answer { errno: libc::EBUSY, word: "busy".into() },
            Ok(round) => {
                let word = format!("{} deleted, {} kept", round.deleted, round.kept);
                Answer { errno: 0, word }
            }
            Err(error) => bail!("keep's collector: {error}"),
        })
    }
}
