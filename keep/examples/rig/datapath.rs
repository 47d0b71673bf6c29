// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loads a datapath, with its table of stripes set up.

use std::os::fd::AsFd as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use libbpf_rs::{Map, MapCore as _, MapFlags, MapType, Object, ObjectBuilder, ProgramMut};

/// `struct settings` of the datapaths.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub seed: u64,
    /// The unit of lifetimes.
    pub tick: Duration,
    /// In ticks.
    pub lifetime: u32,
    pub backends: u32,
}

/// How maps of entries are made.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub kind: MapType,
    pub flags: u32,
    pub entries: u32,
}

impl Settings {
    fn bytes(&self) -> Vec<u8> {
        let tick = u64::try_from(self.tick.as_nanos()).unwrap_or(u64::MAX);
        let words = [self.seed.to_ne_bytes(), tick.to_ne_bytes()].concat();
        [&words[..], &self.lifetime.to_ne_bytes(), &self.backends.to_ne_bytes()].concat()
    }
}

/// A datapath in the kernel.
pub struct Datapath {
    pub object: Object,
}

impl Datapath {
    /// Loads `object`, whose maps named `entries` are of this shape.
    pub fn load(object: &[u8], settings: &Settings, entries: &[&str], shape: Shape) -> Result<Self> {
        let mut builder = ObjectBuilder::default();
        let mut open = builder.open_memory(object).context("libbpf cannot read the datapath")?;
        for mut map in open.maps_mut() {
            let name = map.name().to_string_lossy().into_owned();
            if entries.contains(&name.as_str()) {
                map.set_type(shape.kind)?;
                map.set_map_flags(shape.flags)?;
                map.set_max_entries(shape.entries)?;
            } else if name == ".rodata.settings" {
                map.set_initial_value(&settings.bytes()).context("`struct settings` is another one")?;
            }
        }
        let object =
            open.load().context("the kernel does not take the datapath: is this root, on 6.1 or later?")?;
        let datapath = Self { object };
        // Before the first packet: a stripe that is not set up is never taken.
        keep::table::set_up(datapath.map("keep_stripes")?.as_fd(), settings.seed)?;
        Ok(datapath)
    }

    pub fn map(&self, name: &str) -> Result<Map<'_>> {
        let found = self.object.maps().find(|map| map.name() == name);
        found.with_context(|| format!("the datapath has no map {name}"))
    }

    /// Its first program, which is the datapath itself.
    pub fn program(&mut self) -> Result<ProgramMut<'_>> {
        self.object.progs_mut().next().context("the datapath has no program")
    }

    /// Counters of the map `counters`, each of all CPUs.
    pub fn counters<const N: usize>(&self) -> Result<[u64; N]> {
        let map = self.map("counters")?;
        let mut counters = [0; N];
        for (number, counter) in (0_u32..).zip(&mut counters) {
            let cpus = map.lookup_percpu(&number.to_ne_bytes(), MapFlags::ANY)?.unwrap_or_default();
            *counter = cpus
                .iter()
                .filter_map(|count| count.as_slice().try_into().ok())
                .map(u64::from_ne_bytes)
                .sum();
        }
        Ok(counters)
    }
}
