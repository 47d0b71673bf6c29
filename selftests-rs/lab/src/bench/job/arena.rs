// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same job on a table in an arena, which the collector shares: no snapshot, no system call.

// What is declared to be `Plain` is shared with a BPF program.
#![allow(unsafe_code)]

use std::os::fd::AsFd as _;

use cmpdel_uapi_raw::now;

use super::field::{CLOCK, expired_of};
use super::{Clock, Not, Round, SIZES};
use crate::arena::arena_of;
use crate::arena::table::{Bucket, SLOTS, collect, fill};
use crate::collector::Counted;
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
pub fn round(size: u32, share: u32, _: &Clock) -> Result<Round, Not> {
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
    let mut none = Counted::default();
    let start = now();
    collect(&table.0, 0, &mut none);
    let looked = now();
    let mut claims = Counted::default();
    collect(&table.0, CLOCK, &mut claims);
    let end = now();
    let removed = claims.removed;
    if none.removed != 0 || removed != expired_of(size, share) {
        return Err(Not::Broken(format!("the rounds removed {} and {removed} entries", none.removed)));
    }
    let looking = looked - start;
    let removing = (end - looked).saturating_sub(looking);
    let map_bytes = size_of::<Buckets<N>>() as u64;
    Ok(Round { looking, removing, removed, map_bytes, readings: 2, ..Round::default() })
}
