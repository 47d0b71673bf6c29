// SPDX-License-Identifier: MIT OR Apache-2.0
//! The XDP connection tracker with one refresh discipline, its maps, and bursts of packets through it.

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::run_on_frame;
use libbpf_rs::{MapType, OpenMapMut};

use crate::layout::{BURST, Control, ETH_P_BURST, Kind, Lanes, Outcome, TICK};
use crate::load::{DATAPATHS, Denied, Loaded, load, object};
use crate::shared::Shared;

/// The map dimension of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// `BPF_MAP_TYPE_HASH`, preallocated.
    Hash,
    /// `BPF_MAP_TYPE_HASH` with `BPF_F_NO_PREALLOC`.
    HashNoPrealloc,
    /// `BPF_MAP_TYPE_LRU_HASH`.
    LruHash,
}

impl MapKind {
    /// All of them, by their names in the matrix.
    pub const ALL: [(&str, Self); 3] =
        [("hash", Self::Hash), ("hash-no-prealloc", Self::HashNoPrealloc), ("lru-hash", Self::LruHash)];

    /// The one of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, map)| *map);
        found.with_context(|| format!("there is no type of map called {name}"))
    }

    /// Has a map of an object be of this type.
    ///
    /// # Errors
    /// libbpf's.
    pub fn prepare(self, map: &mut OpenMapMut<'_>, entries: u32) -> Result<()> {
        let (map_type, flags) = match self {
            Self::Hash => (MapType::Hash, 0),
            Self::HashNoPrealloc => (MapType::Hash, abi::BPF_F_NO_PREALLOC),
            Self::LruHash => (MapType::LruHash, 0),
        };
        map.set_type(map_type)?;
        map.set_map_flags(flags)?;
        map.set_max_entries(entries)?;
        Ok(())
    }
}

/// How a datapath is set up. Clock and times are in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The type of its maps.
    pub map: MapKind,
    /// Entries that each holds.
    pub entries: u32,
    /// Hold at gates.
    pub gated: bool,
    /// What a refresh adds to the clock.
    pub timeout: u32,
    /// What is left of a closing entry.
    pub closing_timeout: u32,
    /// Keep source NAT mappings beside the entries.
    pub snat: bool,
    /// Packets come in bursts alone: each lifetime names the flow that wrote it.
    pub tagged: bool,
}

impl Settings {
    /// For bursts, with a clock that the test sets.
    pub fn new(map: MapKind, entries: u32) -> Self {
        Self { map, entries, gated: false, timeout: 8, closing_timeout: 1, snat: false, tagged: true }
    }

    /// As `struct config`.
    fn rodata(&self) -> Vec<u8> {
        let fields =
            [self.gated.into(), self.timeout, self.closing_timeout, self.snat.into(), self.tagged.into(), 0];
        fields.iter().flat_map(|field: &u32| field.to_ne_bytes()).collect()
    }
}

/// A packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Which flow.
    pub flow: u32,
    /// Of what kind.
    pub kind: Kind,
}

/// What the datapath says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handled {
    /// The packet.
    pub packet: Packet,
    /// The clock when it had been handled. Whoever removed its entry before that had read this or an earlier one.
    pub now: u32,
    /// The lifetime that it found, 0 where it found no entry.
    pub seen: u32,
    /// The lifetime that it wrote, if it did.
    pub lifetime: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// Of a failed map operation, positive.
    pub errno: i32,
}

/// A loaded datapath. Any thread may send through it, each in a lane of its own.
pub struct Datapath {
    loaded: Loaded,
    control: Shared<Control>,
    lanes: Shared<Lanes>,
    settings: Settings,
}

impl Datapath {
    /// Loads the datapath with the refresh discipline `name`.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn load(name: &str, settings: Settings) -> Result<Self, Denied> {
        Self::open(object(DATAPATHS, name)?, settings, |map, open| match map {
            "ct4" | "ct6" | "snat4" | "snat6" => settings.map.prepare(open, settings.entries),
            _ => Ok(()),
        })
    }

    /// Loads a datapath of another kind, once `prepare` has seen to its maps.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(
        object: &[u8],
        settings: Settings,
        mut prepare: impl FnMut(&str, &mut OpenMapMut<'_>) -> Result<()>,
    ) -> Result<Self, Denied> {
        let loaded = load(object, |map, open| match map {
            ".rodata" => set_rodata(open, &settings.rodata()),
            _ => prepare(map, open),
        })?;
        let control = Shared::map(loaded.map("control")?)?;
        let lanes = Shared::map(loaded.map("lanes")?)?;
        Ok(Self { loaded, control, lanes, settings })
    }

    /// How it was set up.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// One of its maps: `ct4`, `ct6`, `snat4`, `snat6`, `control`.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn map(&self, name: &str) -> Result<BorrowedFd<'_>> {
        self.loaded.map(name)
    }

    /// The XDP program, to attach.
    ///
    /// # Errors
    /// When the object has none.
    pub fn program(&self) -> Result<BorrowedFd<'_>> {
        self.loaded.program("xdp_conntrack")
    }

    /// Clock, counters and gates.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// What is asked of packets, and what became of them.
    pub fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Sets the clock, in ticks.
    pub fn set_clock(&self, tick: u32) {
        self.control.now.store(tick * TICK, SeqCst);
    }

    /// Moves the clock on by one tick.
    pub fn tick(&self) {
        self.control.now.fetch_add(TICK, SeqCst);
    }

    /// Sends packets, at most [`BURST`], in one run of the program on this CPU. `handled` is told of each, in order.
    ///
    /// # Errors
    /// The kernel's, and a packet that the program left out.
    pub fn burst(&self, lane: usize, packets: &[Packet], mut handled: impl FnMut(Handled)) -> Result<()> {
        ensure!(packets.len() <= BURST, "{} packets do not fit into a burst of {BURST}", packets.len());
        let slots = &self.lanes.0.get(lane).context("there is no such lane")?.packets;
        for (slot, packet) in slots.iter().zip(packets) {
            slot.flow.store(packet.flow, Relaxed);
            slot.kind.store(packet.kind as u32, Relaxed);
            slot.outcome.store(0, Relaxed);
        }
        run_on_frame(self.program()?, &frame(lane, packets.len())).context("cannot run the datapath")?;
        let now = self.control.now.load(SeqCst);
        for (slot, &packet) in slots.iter().zip(packets) {
            let outcome = Outcome::of(slot.outcome.load(Relaxed));
            handled(Handled {
                packet,
                now,
                seen: slot.seen.load(Relaxed),
                lifetime: slot.lifetime.load(Relaxed),
                outcome: outcome.context("the datapath left a packet of a burst out")?,
                errno: -i32::from(slot.err.load(Relaxed).cast_signed()),
            });
        }
        Ok(())
    }
}

/// The key of a flow, as the datapath makes it of a packet in a burst.
pub fn key_of(flow: u32) -> [u8; 14] {
    let mut key = [0; 14];
    key[..4].copy_from_slice(&[10, 0, 0, 1]);
    key[4..8].copy_from_slice(&[10, 0, 0, 2]);
    let [a, b, c, _] = flow.to_le_bytes();
    key[8..10].copy_from_slice(&[a, b]);
    key[10..12].copy_from_slice(&80_u16.to_be_bytes());
    key[12] = 6;
    key[13] = c;
    key
}

/// Which flow a key is of.
pub fn flow_of(key: &[u8]) -> u32 {
    match key {
        [_, _, _, _, _, _, _, _, a, b, _, _, _, c] => u32::from_le_bytes([*a, *b, *c, 0]),
        _ => u32::MAX,
    }
}

fn set_rodata(map: &mut OpenMapMut<'_>, config: &[u8]) -> Result<()> {
    let data = map.initial_value_mut().context("there is no config to set")?;
    let place = data.get_mut(..config.len()).context("the config is shorter than src/datapath.rs has it")?;
    place.copy_from_slice(config);
    Ok(())
}

/// As `struct burst`: what a burst of so many packets is announced with.
#[allow(clippy::cast_possible_truncation)]
pub fn frame(lane: usize, packets: usize) -> [u8; 18] {
    let mut frame = [0; 18];
    frame[12..14].copy_from_slice(&ETH_P_BURST.to_be_bytes());
    frame[14..16].copy_from_slice(&(lane as u16).to_ne_bytes());
    frame[16..18].copy_from_slice(&(packets as u16).to_ne_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_flows() {
        for flow in [0, 1, 4095, 65_535, 65_536, 0xff_ffff] {
            assert_eq!(flow_of(&key_of(flow)), flow);
        }
    }
}
