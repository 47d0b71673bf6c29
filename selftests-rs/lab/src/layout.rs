// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the lab knows of the contract with its programs (`bpf/contract.h`), under the names that it has in Rust.

// What is declared to be `Plain` is shared with a BPF program.
#![allow(unsafe_code)]

use std::mem::offset_of;

use crate::contract::{self, ct_value};
use crate::shared::Plain;

pub use contract::shared::{
    call as Call, connection as Connection, connections as Connections, control as Control, fired as Fired,
    gate as Gate, lane as Lane, record as Record, records as Records,
};
pub use contract::{COUNTED_FLOWS, DEAD_MARK, PORTS, SEED, STEPS, TICK};

/// Bytes in the value of an entry.
pub const VALUE_SIZE: usize = size_of::<ct_value>();
/// Where its word is: `lifetime` and `tag`, 32 bits each.
const WORD: usize = offset_of!(ct_value, __bindgen_anon_1);
/// Where `lifetime`, 32 bits, is in it.
#[allow(clippy::cast_possible_truncation, reason = "of a struct of some bytes")]
pub const LIFETIME: u32 = WORD as u32;
/// Packets in a burst.
pub const BURST: usize = contract::BURST as usize;
/// Lanes for bursts: one a thread.
pub const LANES: usize = contract::LANES as usize;
/// Records of a collector.
pub const MAX_RECORDS: usize = contract::MAX_RECORDS as usize;
/// Room for a key in a record.
pub const MAX_KEY: usize = contract::MAX_KEY as usize;
/// Of the frame that announces a burst.
#[allow(clippy::cast_possible_truncation, reason = "16 bits")]
pub const ETH_P_BURST: u16 = contract::ETH_P_BURST as u16;

/// All lanes.
#[repr(C)]
pub struct Lanes(pub [Lane; LANES]);

// SAFETY: atomics alone, made of `struct control` by bindgen.
unsafe impl Plain for Control {}
// SAFETY: atomics alone, made of the values of `lanes` by bindgen, one after the other.
unsafe impl Plain for Lanes {}
// SAFETY: atomics alone, made of `struct records` by bindgen.
unsafe impl Plain for Records {}
// SAFETY: atomics alone, made of `struct call` by bindgen.
unsafe impl Plain for Call {}
// SAFETY: atomics alone, made of `struct connections` by bindgen.
unsafe impl Plain for Connections {}
// SAFETY: atomics alone, made of `struct fired` by bindgen.
unsafe impl Plain for Fired {}

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Of an established flow.
    Data = contract::DATA,
    /// A SYN.
    Open = contract::OPEN,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No entry, dropped.
    Missed,
    /// A new entry.
    Created,
    /// Refreshed in place, or by having been seen.
    Stored,
    /// Refreshed by a new value.
    Replaced,
    /// Live for long enough: not written.
    Left,
    /// A map operation failed, or there were too many look-ups.
    Failed,
}

impl Outcome {
    /// As `enum outcome` numbers it; what is not in it was not filled in.
    pub fn of(number: u16) -> Option<Self> {
        match number.into() {
            contract::MISSED => Some(Self::Missed),
            contract::CREATED => Some(Self::Created),
            contract::STORED => Some(Self::Stored),
            contract::REPLACED => Some(Self::Replaced),
            contract::LEFT => Some(Self::Left),
            contract::FAILED => Some(Self::Failed),
            _ => None,
        }
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Removed by this collector.
    Removed,
    /// Live by now, or changed, or another collector's.
    Kept,
    /// Somebody else removed it.
    Absent,
    /// A map operation failed.
    Error,
}

impl Fate {
    /// As `enum fate` numbers it.
    pub fn of(number: u16) -> Option<Self> {
        match number.into() {
            contract::REMOVED => Some(Self::Removed),
            contract::KEPT => Some(Self::Kept),
            contract::ABSENT => Some(Self::Absent),
            contract::ERROR => Some(Self::Error),
            _ => None,
        }
    }
}
