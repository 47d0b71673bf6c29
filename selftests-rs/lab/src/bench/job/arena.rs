// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same job on a table in an arena, which the collector shares: no snapshot, no system call.

// What is declared to be `Plain` is shared with a BPF program.
#![allow(unsafe_code)]

use std::os::fd::AsFd as _;

use cmpdel_uapi_raw::now;

use super::field::{CLOCK, expired_of};
use super::{LOOKS, Not, Round, SIZES};
use crate::arena::arena_of;
use crate::arena::table::{Bucket, SLOTS, collect, fill};
use crate::claims::Counted;
use crate::shared::{Plain, Shared};

/// A table of `N` buckets.
#[repr(C)]
struct Buckets<const N: usize>([Bucket; N]);

// SAFETY: as that of the lab, of another length.
unsafe impl<const N: usize> Plain for Buckets<N> {}

const fn buckets(entries: u32) -> usize {
    entries as usize / SLOTS
}

/// One round over a full table of `size` slots.
pub fn round(size: u32, share: u32) -> Result<Round, Not> {
    match size {
        size if size == SIZES[0] => on::<{ buckets(SIZES[0]) }>(size, share),
        size if size == SIZES[1] => on::<{ buckets(SIZES[1]) }>(size, share),
        size if size == SIZES[2] => on::<{ buckets(SIZES[2]) }>(size, share),
        _ => on::<{ buckets(SIZES[3]) }>(size, share),
    }
}

fn on<const N: usize>(size: u32, share: u32) -> Result<Round, Not> {
    let map = arena_of(size_of::<Buckets<N>>()).map_err(|error| Not::Here(format!("no arena: {error:#}")))?;
    let table = Shared::<Buckets<N>>::map_arena(map.as_fd())?;
    let lifetimes = (0..size).map(|flow| if flow % 100 < share { CLOCK - 1 } else { CLOCK + 1 });
    fill(&table.0, lifetimes);
    let sweep = |clock| {
        let mut claims = Counted::default();
        let start = now();
        collect(&table.0, clock, &mut claims);
        (now() - start, claims.removed)
    };
    let (mut looking, mut none) = (u64::MAX, 0);
    for _ in 0..LOOKS {
        let (took, removed) = sweep(0);
        looking = looking.min(took);
        none += removed;
    }
    let (removing, removed) = sweep(CLOCK);
    if none != 0 || removed != expired_of(size, share) {
        return Err(Not::Broken(format!("the rounds removed {none} and {removed} entries")));
    }
    let map_bytes = size_of::<Buckets<N>>() as u64;
    let looks_while_removing = true;
    Ok(Round { looking, removing, removed, map_bytes, looks_while_removing, readings: 2, ..Round::default() })
}
