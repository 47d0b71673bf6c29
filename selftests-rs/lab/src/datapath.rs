// SPDX-License-Identifier: MIT OR Apache-2.0
//! The XDP connection tracker with one refresh discipline, its maps, and bursts of packets through it.

use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use anyhow::{Context as _, Result, bail, ensure};
use approaches::{Column, Protocol, Refresh, Runs};
use cmpdel_uapi_raw::run_on_frame;
use libbpf_rs::OpenMapMut;

pub use approaches::MapKind;

pub use crate::map_kind::Prepare;

use crate::contract::config;
use crate::generations::Generations;
use crate::layout::{BURST, Control, DEAD_MARK, ETH_P_BURST, Kind, Lanes, Outcome, PORTS, SEED, TICK};
use crate::load::{DATAPATHS, Denied, Loaded, RHASH_DATAPATHS, load, object};
use crate::shared::Shared;
use crate::value::lifetime_of;

pub use crate::value::{flow_of, key_of};

/// Refresh disciplines that keep to no protocol: each collector is tried on them, on values that have what it looks at.
const CARELESS: [Refresh; 2] = [Refresh::Store, Refresh::Replace];

/// The name of the datapath that a cell takes.
pub fn object_for(refresh: Refresh, gc: Column) -> String {
    let values = match gc.protocol {
        _ if !CARELESS.contains(&refresh) => "",
        Protocol::Lock => "+lock",
        Protocol::Mark => "+mark",
        Protocol::Timer => "+timer",
        Protocol::Plain | Protocol::Stripe | Protocol::Generations | Protocol::Arena => "",
    };
    format!("{refresh}{values}")
}

/// How a datapath is set up. Clock and times are in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The type of its maps.
    pub map: MapKind,
    /// Entries that each holds.
    pub entries: u32,
    /// Hold at gates.
    pub gated: bool,
    /// What a refresh adds to the clock; the period of generations.
    pub timeout: u32,
    /// What is left of a closing entry.
    pub closing_timeout: u32,
    /// Keep source NAT mappings beside the entries.
    pub snat: bool,
    /// An oracle listens: what seems to be another flow's is looked at twice.
    pub oracle: bool,
    /// Entries' timers fire on the CPU that set them.
    pub pinned: bool,
    /// Packets and removals note when they happen.
    pub stamped: bool,
    /// Packets that miss their entry are told from those whose entry had expired, for each port.
    pub connections: bool,
    /// All tags are the same.
    pub collide: bool,
    /// Between a timer's firings, in ns.
    pub interval: u64,
}

/// Between a timer's firings: a thousand entries keep a CPU busy for a tenth of the time.
const INTERVAL: u64 = 5_000_000;

impl Settings {
    /// For bursts, with a clock that the test sets.
    pub fn new(map: MapKind, entries: u32) -> Self {
        Self {
            map,
            entries,
            gated: false,
            timeout: 8,
            closing_timeout: 1,
            snat: false,
            oracle: true,
            pinned: false,
            stamped: map == MapKind::LruHash,
            connections: false,
            collide: false,
            interval: INTERVAL,
        }
    }

    /// The same for a strategy: its timers may be pinned.
    #[must_use]
    pub fn with(self, runs: Runs) -> Self {
        Self { pinned: runs == Runs::Timer { pinned: true }, ..self }
    }

    /// As `struct config`.
    pub fn rodata(&self) -> Vec<u8> {
        let Self {
            gated, timeout, closing_timeout, snat, oracle, pinned, stamped, collide, interval, ..
        } = *self;
        let config = config {
            gated: gated.into(),
            timeout,
            closing_timeout,
            snat: snat.into(),
            oracle: oracle.into(),
            pinned: pinned.into(),
            stamped: stamped.into(),
            tag_mask: if collide { 0 } else { !DEAD_MARK },
            interval,
            seed: SEED,
        };
        let words = [
            config.gated,
            config.timeout,
            config.closing_timeout,
            config.snat,
            config.oracle,
            config.pinned,
            config.stamped,
            config.tag_mask,
        ];
        let words = words.iter().flat_map(|word| word.to_ne_bytes());
        words.chain([config.interval, config.seed].iter().flat_map(|word| word.to_ne_bytes())).collect()
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
    /// When it began, in ns, where packets note that.
    pub began: u64,
    /// The lifetime that it found, 0 where it found no entry.
    pub seen: u32,
    /// The backend that it found there.
    pub seen_backend: u32,
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
    generations: Option<Generations>,
}

impl Datapath {
    /// Loads the datapath of that name: a refresh discipline, or one of [`object_for`].
    ///
    /// # Errors
    /// [`Denied`].
    pub fn load(name: &str, settings: Settings) -> Result<Self, Denied> {
        Self::open(Self::object(name, settings.map)?, settings, |map, open| match map {
            "ct4" | "ct6" | "snat4" | "snat6" => settings.map.prepare(open, settings.entries),
            "connections" if settings.connections => Ok(open.set_max_entries(PORTS)?),
            _ => Ok(()),
        })
    }

    /// The object of that name for maps of that type.
    ///
    /// # Errors
    /// When there is none.
    pub fn object(name: &str, map: MapKind) -> Result<&'static [u8]> {
        object(if map == MapKind::Rhash { RHASH_DATAPATHS } else { DATAPATHS }, name)
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
        // The verifier wants one of the inner maps.
        let (mut inner, mut refused) = (None, None);
        let loaded = load(object, |map, open| match map {
            ".rodata" => set_rodata(open, &settings.rodata()),
            "generations" => match Generations::inner(settings.map, settings.entries) {
                Ok(first) => Ok(open.set_inner_map_fd(inner.insert(first).as_fd())?),
                Err(denied) => {
                    refused = Some(denied);
                    bail!("there is no map to take turns")
                }
            },
            _ => prepare(map, open),
        });
        let loaded = refused.map_or(loaded, Err)?;
        let control = Shared::map(loaded.map("control")?)?;
        let lanes = Shared::map(loaded.map("lanes")?)?;
        let outer = loaded.map("generations").and_then(|outer| Ok(outer.try_clone_to_owned()?));
        let generations = match (outer, inner) {
            (Ok(outer), Some(first)) => Some(Generations::new(outer, first, settings.map, settings.entries)?),
            _ => None,
        };
        Ok(Self { loaded, control, lanes, settings, generations })
    }

    /// The maps that take turns, if it has such.
    pub fn generations(&self) -> Option<&Generations> {
        self.generations.as_ref()
    }

    /// The maps in which flows of bursts are found at present; an entry may be in more than one, the first of which counts.
    ///
    /// # Errors
    /// When there are none.
    pub fn tables(&self) -> Result<Vec<OwnedFd>> {
        match &self.generations {
            Some(generations) => generations.both(),
            None => Ok(vec![self.map("ct4")?.try_clone_to_owned().context("cannot keep a map")?]),
        }
    }

    /// Until when an entry with that value is to be there, if nothing changes. In generations that is not what was written.
    pub fn promised(&self, value: &[u8]) -> u32 {
        let written = lifetime_of(value);
        if self.generations.is_none() {
            return written;
        }
        let now = self.control.now.load(SeqCst);
        (now / TICK + self.settings.timeout) * TICK + written % TICK
    }

    /// One that stores in place and follows nobody's protocol, on the same map. `locked`: its values have a lock.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn careless(&self, locked: bool) -> Result<Self, Denied> {
        let name = if locked { "store+lock" } else { "store" };
        let loaded = load(Self::object(name, self.settings.map)?, |map, open| match map {
            ".rodata" => set_rodata(open, &self.settings.rodata()),
            "ct4" | "ct6" | "control" => Ok(open.reuse_fd(self.map(map)?)?),
            "snat4" | "snat6" => self.settings.map.prepare(open, 1),
            _ => Ok(()),
        })?;
        let control = Shared::map(loaded.map("control")?)?;
        let lanes = Shared::map(loaded.map("lanes")?)?;
        Ok(Self { loaded, control, lanes, settings: self.settings, generations: None })
    }

    /// Memory of the maps that flows of bursts are in, and of what the protocol has beside them, in bytes; and for how many
    /// entries there is room.
    ///
    /// # Errors
    /// When procfs does not tell.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let mut bytes = 0;
        for table in self.tables().unwrap_or_default() {
            bytes += memory_of(table.as_fd())?;
        }
        if let Ok(stripes) = self.map("keep_stripes") {
            bytes += memory_of(stripes)?;
        }
        Ok((bytes, self.settings.entries.into()))
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
                began: slot.began.load(Relaxed),
                seen: slot.seen.load(Relaxed),
                seen_backend: slot.seen_backend.load(Relaxed),
                lifetime: slot.lifetime.load(Relaxed),
                outcome: outcome.context("the datapath left a packet of a burst out")?,
                errno: -i32::from(slot.err.load(Relaxed)),
            });
        }
        Ok(())
    }
}

/// Memory of a map, as the kernel accounts it.
///
/// # Errors
/// When procfs does not tell.
pub fn memory_of(map: BorrowedFd<'_>) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", map.as_raw_fd()))
        .context("cannot read what an fd is")?;
    let bytes = text.lines().find_map(|line| line.strip_prefix("memlock:")?.trim().parse().ok());
    bytes.context("the kernel does not tell the memory of a map")
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
