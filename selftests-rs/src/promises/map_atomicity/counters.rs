// SPDX-License-Identifier: MIT OR Apache-2.0
//! The datapath of `counters.bpf.c`, and its map.

use std::mem::MaybeUninit;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, ensure};
use libbpf_rs::skel::{OpenSkel as _, SkelBuilder as _};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, MapType, OpenObject, ProgramInput};

use super::{KEY, word};
use crate::skeletons::counters::{CountersSkel, CountersSkelBuilder};

/// `enum how` of `counters.bpf.c`.
#[derive(Clone, Copy, Debug)]
pub enum How {
    Plain,
    Atomic,
    Locked,
}

/// How fast a datapath counts: see `counters.bpf.c`.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    pub batch: u32,
    pub pause: u32,
}

/// Bytes of every packet.
pub const PACKET_SIZE: u64 = 100;

/// What an XDP program is run with: headers that it does not read.
const PACKET: [u8; 64] = [0; 64];

/// `XDP_PASS`: all were counted.
const COUNTED: u32 = 2;

/// {packets, bytes}.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    pub packets: u64,
    pub bytes: u64,
}

impl Pair {
    /// Of a `struct flow`.
    pub fn of(value: &[u8]) -> Self {
        Self { packets: word(value, 1), bytes: word(value, 2) }
    }

    pub fn in_step(self) -> bool {
        self.bytes == self.packets * PACKET_SIZE
    }
}

/// What a `struct flow` counted without any guard.
pub fn unguarded(value: &[u8]) -> u64 {
    word(value, 3)
}

/// A `struct flow` that has counted nothing.
pub const ZERO_FLOW: [u8; 32] = [0; 32];

/// The two maps, and a flow in the first.
pub struct Flows {
    pub shared: MapHandle,
    pub per_cpu: MapHandle,
}

impl Flows {
    pub fn new(map_type: MapType) -> Result<Self> {
        let mut place = MaybeUninit::uninit();
        let mut open = CountersSkelBuilder::default().open(&mut place)?;
        open.maps.flows.set_type(map_type)?;
        let skeleton = open.load().context("cannot make the counters")?;
        let flows = Self {
            shared: MapHandle::try_from(&skeleton.maps.flows)?,
            per_cpu: MapHandle::try_from(&skeleton.maps.per_cpu)?,
        };
        flows.shared.update(&KEY, &ZERO_FLOW, MapFlags::ANY).context("cannot put the flow")?;
        Ok(flows)
    }
}

/// One CPU's datapath. Not to be shared between threads: each loads its own.
pub struct Datapath<'a> {
    skeleton: CountersSkel<'a>,
}

impl<'a> Datapath<'a> {
    pub fn new(
        flows: &Flows,
        how: How,
        speed: Speed,
        place: &'a mut MaybeUninit<OpenObject>,
    ) -> Result<Self> {
        let mut open = CountersSkelBuilder::default().open(place)?;
        open.maps.flows.reuse_fd(flows.shared.as_fd()).context("cannot share the counters")?;
        open.maps.per_cpu.reuse_fd(flows.per_cpu.as_fd()).context("cannot share the counters")?;
        let constants = open.maps.rodata_data.as_deref_mut().context("the datapath has no constants")?;
        (constants.how, constants.packet_size) = (how as u32, PACKET_SIZE);
        (constants.batch, constants.pause) = (speed.batch, speed.pause);
        Ok(Self { skeleton: open.load().context("cannot load the datapath")? })
    }

    /// Counts a batch of packets.
    pub fn run(&self, per_cpu: bool) -> Result<()> {
        let programs = &self.skeleton.progs;
        let program = if per_cpu { &programs.count_per_cpu } else { &programs.count };
        let input = ProgramInput { data_in: Some(&PACKET), repeat: 1, ..ProgramInput::default() };
        let answer = program.test_run(input).context("cannot run the datapath")?.return_value;
        ensure!(answer == COUNTED, "the datapath did not find its counters");
        Ok(())
    }
}
