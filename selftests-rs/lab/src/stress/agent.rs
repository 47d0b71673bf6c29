// SPDX-License-Identifier: MIT OR Apache-2.0
//! Somebody who refreshes entries without following the datapath's protocol: an agent by system calls, or a program that
//! stores in place.

use std::sync::atomic::Ordering::SeqCst;

use anyhow::{Result, anyhow};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Elements, Errno};
use results::races::Circumstance;

use crate::clock::monotonic;
use crate::datapath::{Datapath, Handled, Packet};
use crate::layout::{Kind, LIFETIME, Outcome, TICK, VALUE_SIZE};
use crate::load::Denied;
use crate::value::{backend_of, key_of, lifetime_of};

/// One of them.
pub enum Agent<'a> {
    /// Looks up, changes the lifetime, updates: three steps in user space.
    Updates(Elements<'a>),
    /// A datapath that stores in place, on the same map.
    Stores(Datapath),
}

impl<'a> Agent<'a> {
    /// Whoever plays that part on the datapath's map, if somebody does. `locked`: its values have a lock.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn of(
        circumstance: Option<Circumstance>,
        datapath: &'a Datapath,
        locked: bool,
    ) -> Result<Option<Self>, Denied> {
        Ok(match circumstance {
            Some(Circumstance::AgentUpdates) => {
                let elements = Elements::new(datapath.map("ct4")?);
                Some(Self::Updates(
                    elements.map_err(|errno| anyhow!("cannot use the map under test: {errno}"))?,
                ))
            }
            Some(Circumstance::AgentStores) => Some(Self::Stores(datapath.careless(locked)?)),
            _ => None,
        })
    }

    /// Refreshes the entry of a flow that is known to be there.
    ///
    /// # Errors
    /// The kernel's.
    pub fn refresh(&self, datapath: &Datapath, lane: usize, flow: u32) -> Result<Handled> {
        let packet = Packet { flow, kind: Kind::Data };
        match self {
            Self::Stores(agent) => {
                let mut done = None;
                agent.burst(lane, &[packet], |handled| done = Some(handled))?;
                done.ok_or_else(|| anyhow!("the agent's packet was left out"))
            }
            Self::Updates(elements) => update(elements, datapath, packet),
        }
    }
}

fn update(elements: &Elements<'_>, datapath: &Datapath, packet: Packet) -> Result<Handled> {
    let began = monotonic();
    let now = datapath.control().now.load(SeqCst);
    let lifetime = now + datapath.settings().timeout * TICK + packet.flow % TICK;
    let missed = Handled {
        packet,
        now,
        began,
        seen: 0,
        seen_backend: 0,
        lifetime,
        outcome: Outcome::Missed,
        errno: 0,
    };
    let (key, mut value) = (key_of(packet.flow), vec![0; VALUE_SIZE]);
    // Whoever has removed the entry may have read a later clock than was read here.
    let gone = |missed: Handled| Handled { now: datapath.control().now.load(SeqCst), ..missed };
    match elements.look_up(&key, &mut value, 0) {
        Ok(()) => {}
        Err(Errno(libc::ENOENT)) => return Ok(gone(missed)),
        Err(errno) => return Err(anyhow!("an agent cannot look an entry up: {errno}")),
    }
    let (seen, seen_backend) = (lifetime_of(&value), backend_of(&value));
    let start = LIFETIME as usize;
    value[start..start + 4].copy_from_slice(&lifetime.to_ne_bytes());
    match elements.update(&key, &value, abi::BPF_EXIST.into()) {
        Ok(()) => Ok(Handled { seen, seen_backend, outcome: Outcome::Replaced, ..missed }),
        // Gone meanwhile: expired, or lost; the oracle knows.
        Err(Errno(libc::ENOENT)) => Ok(gone(missed)),
        Err(Errno(errno)) => Ok(Handled { seen, seen_backend, outcome: Outcome::Failed, errno, ..missed }),
    }
}
