// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `bpf/conntrack.h`, `bpf/datapath.h` and `bpf/collector.h` lay out, in Rust.

// What is declared to be `Plain` is shared with a BPF program.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64};

use crate::shared::Plain;

/// Clock units of a tick; below them a lifetime names the flow that wrote it.
pub const TICK: u32 = 4096;

/// Bytes in the value of an entry.
pub const VALUE_SIZE: usize = 56;
/// Where `lifetime`, 32 bits, is in it.
pub const LIFETIME: u32 = 32;
/// Packets in a burst.
pub const BURST: usize = 64;
/// Lanes for bursts: one a thread.
pub const LANES: usize = 8;
/// Records of a collector.
pub const MAX_RECORDS: usize = 4096;
/// Room for a key in a record.
pub const MAX_KEY: usize = 40;
/// Of the frame that announces a burst.
pub const ETH_P_BURST: u16 = 0x88b5;

/// Sides that can be held.
pub const ACTORS: usize = 4;

/// Where one side stops.
#[repr(C)]
pub struct Gate {
    /// Steps come to.
    pub at: AtomicU64,
    /// Steps allowed.
    pub go: AtomicU64,
    /// The one waited at, an index into [`crate::gate::STEPS`].
    pub step: AtomicU32,
    /// Times it waited too long.
    pub gave_up: AtomicU32,
    pad: [AtomicU64; 5],
}

/// Clock, counters, gates.
#[repr(C)]
pub struct Control {
    /// The clock.
    pub now: AtomicU32,
    pad: AtomicU32,
    /// Packets of established flows without an entry.
    pub dropped: AtomicU64,
    /// With an entry and without a mapping.
    pub snat_dropped: AtomicU64,
    /// Packets let through.
    pub passed: AtomicU64,
    pad2: [AtomicU64; 4],
    /// By actor.
    pub gates: [Gate; ACTORS],
}

/// One packet in a lane.
#[repr(C)]
pub struct Packet {
    /// Which flow.
    pub flow: AtomicU32,
    /// See [`Kind`].
    pub kind: AtomicU32,
    /// The clock that was read.
    pub now: AtomicU32,
    /// The lifetime that was found.
    pub seen: AtomicU32,
    /// The lifetime that was, or would have been, written.
    pub lifetime: AtomicU32,
    /// See [`Outcome`].
    pub outcome: AtomicU16,
    /// Of a failed map operation, negative.
    pub err: AtomicU16,
    flags: AtomicU32,
    bytes: AtomicU32,
}

/// A burst.
#[repr(C)]
pub struct Lane {
    /// In order.
    pub packets: [Packet; BURST],
}

/// All lanes.
#[repr(C)]
pub struct Lanes(pub [Lane; LANES]);

/// One entry of a snapshot, as collectors in the kernel take it.
#[repr(C)]
pub struct Record {
    /// The key, at its beginning, in words: byte by byte it costs more than the rest of a removal.
    pub key: [AtomicU64; MAX_KEY / 8],
    /// In the snapshot.
    pub lifetime: AtomicU32,
    /// See [`Fate`].
    pub fate: AtomicU16,
    /// Of a failed map operation, negative.
    pub err: AtomicU16,
}

/// All records.
#[repr(C)]
pub struct Records(pub [Record; MAX_RECORDS]);

// SAFETY: atomics alone, laid out as `struct control`.
unsafe impl Plain for Control {}
// SAFETY: atomics alone, laid out as the values of `lanes`.
unsafe impl Plain for Lanes {}
// SAFETY: atomics alone, laid out as `struct records`.
unsafe impl Plain for Records {}

const _: () = {
    assert!(size_of::<Gate>() == 64 && size_of::<Control>() == 64 + 64 * ACTORS);
    assert!(size_of::<Packet>() == 32 && size_of::<Record>() == 48);
};

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Of an established flow.
    Data,
    /// A SYN.
    Open,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No entry, dropped.
    Missed,
    /// A new entry.
    Created,
    /// Refreshed in place.
    Stored,
    /// Refreshed by a new value.
    Replaced,
    /// Live for long enough: not written.
    Left,
    /// A map operation failed.
    Failed,
}

impl Outcome {
    /// As `enum outcome` numbers it; what is not in it was not filled in.
    pub fn of(number: u16) -> Option<Self> {
        [
            None,
            Some(Self::Missed),
            Some(Self::Created),
            Some(Self::Stored),
            Some(Self::Replaced),
            Some(Self::Left),
        ]
        .into_iter()
        .chain([Some(Self::Failed)])
        .nth(number.into())
        .flatten()
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Removed by this collector.
    Removed,
    /// Live by now, or changed.
    Kept,
    /// Somebody else removed it.
    Absent,
    /// A map operation failed.
    Error,
}

impl Fate {
    /// As `enum fate` numbers it.
    pub fn of(number: u16) -> Option<Self> {
        [None, Some(Self::Removed), Some(Self::Kept), Some(Self::Absent), Some(Self::Error)]
            .into_iter()
            .nth(number.into())
            .flatten()
    }
}
