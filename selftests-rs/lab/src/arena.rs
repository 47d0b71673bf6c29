// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table in an arena: memory that datapath and collector share, with no map operation and no system call on either
//! side. It is correct by construction: see `bpf/arena.h`.

pub mod table;
mod word;

use std::collections::HashMap;
use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering::SeqCst;

use anyhow::{Context as _, Result};
use approaches::Column;
use cmpdel_uapi::bindings as abi;
use libbpf_rs::{MapHandle, MapType, libbpf_sys};
use results::races::{Circumstance, Stress};

use crate::claims::Claims;
use crate::datapath::{Datapath, MapKind, Settings};
use crate::load::{Denied, TABLES, object};
use crate::oracle::Left;
use crate::shared::Shared;
use crate::stress::{Plan, Round, Run, drive};
use crate::value::{backend_for, flow_of};
use table::{Table, collect, entries};

/// Its name in the matrix.
pub const MAP: &str = "arena";

/// The datapath on a table in an arena.
pub struct Opened {
    /// The datapath.
    pub datapath: Datapath,
    /// Its table.
    pub table: Shared<Table>,
}

/// Loads it.
///
/// # Errors
/// [`Denied`].
pub fn open(settings: Settings) -> Result<Opened, Denied> {
    let arena = arena_of(size_of::<Table>()).context("cannot make an arena")?;
    // The address of the first mapping becomes the arena's, and the verifier wants to know it: map before loading.
    let table = Shared::<Table>::map_arena(arena.as_fd())?;
    let datapath = Datapath::open(object(TABLES, MAP)?, settings, |map, open| match map {
        "slots" => Ok(open.reuse_fd(arena.as_fd())?),
        _ => Ok(()),
    })?;
    Ok(Opened { datapath, table })
}

/// Runs the datapath of the arena against its collector.
///
/// # Errors
/// [`Denied`].
pub fn stress(
    cpus: usize,
    plan: Plan,
    gc: Column,
    circumstance: Option<Circumstance>,
) -> Result<Stress, Denied> {
    let Opened { datapath, table } = open(Settings::new(MapKind::Arena, 0))?;
    let control = datapath.control();
    let left = || -> Result<HashMap<u32, Left>> {
        let left = entries(&table.0).map(|(key, lifetime)| (flow_of(&key), lifetime));
        // A slot has no backend: the word is all of its state.
        Ok(left.map(|(flow, lifetime)| (flow, Left { lifetime, backend: backend_for(flow) })).collect())
    };
    let round = |claims: &mut dyn Claims| -> Result<()> {
        collect(&table.0, control.now.load(SeqCst), claims);
        Ok(())
    };
    let mut rounds: Vec<Round<'_>> = vec![Box::new(round)];
    if circumstance == Some(Circumstance::TwoCollectors) {
        rounds.push(Box::new(round));
    }
    drive(&Run { datapath: &datapath, gc, cpus, plan, circumstance }, left, rounds)
}

/// An arena with room for so many bytes.
///
/// # Errors
/// The kernel's.
pub fn arena_of(bytes: usize) -> Result<MapHandle> {
    let size = bytes.div_ceil(rustix::param::page_size());
    let options = libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_sys::bpf_map_create_opts>().try_into()?,
        map_flags: abi::BPF_F_MMAPABLE,
        ..Default::default()
    };
    Ok(MapHandle::create(MapType::Arena, Some("slots"), 0, 0, u32::try_from(size)?, &options)?)
}
