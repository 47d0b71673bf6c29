// SPDX-License-Identifier: MIT OR Apache-2.0
//! Syscall programs that remove or replace elements, for one key and for an array of keys; and the swap on an arena, for
//! which there is no call at all.

// What is declared to be `Plain` is shared with a BPF program.
#![allow(unsafe_code)]

use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

use anyhow::Context as _;
use cmpdel_uapi_raw::{Prepared, now};
use libbpf_rs::MapHandle;

use super::Not;
use super::stage::{KEY_SIZE, SEEN, Stage, key, must_say, set_lifetime};
use super::trial::{BATCH, BATCH_COUNT, Trial};
use crate::arena::arena_of;
use crate::load::{BENCHES, Loaded, load, object};
use crate::shared::{Plain, Shared};

/// As `MAX_JOBS`.
const JOBS: usize = 4096;
/// `struct call`, in bytes.
const CALL: u32 = 32;
/// Of its parts.
const LIFETIME_AT: usize = 16;
const RESULT_AT: usize = 20;
const COUNT_AT: usize = 24;
const MAP_FD_AT: usize = 28;

/// As `struct job`.
#[repr(C)]
struct Job {
    key: [AtomicU64; 2],
    lifetime: AtomicU32,
    result: AtomicI32,
}

/// As `struct jobs`.
#[repr(C)]
struct Jobs([Job; JOBS]);

// SAFETY: atomics alone, laid out as `struct jobs`.
unsafe impl Plain for Jobs {}

const _: () = assert!(size_of::<Job>() == 24);

/// What has to have become of an entry; it is put back then.
type Became = fn(&Stage<'_>, u64) -> Result<(), Not>;

const REMOVED: Became = |stage, i| {
    stage.must_be_gone(i)?;
    stage.put(i)
};

/// As `bpf/bench/kfunc-update.bpf.c` has it.
const REPLACED: Became = |stage, i| {
    let mut next = vec![0; stage.value.len()];
    set_lifetime(&mut next, SEEN + 1);
    if stage.at(i)? != Some(next) {
        return Err(Not::Broken(format!("entry {i} is not what it was replaced by")));
    }
    stage.put(i)
};

pub fn pair_single<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    single(stage, "pair", REMOVED)
}

pub fn pair_array<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    array(stage, "pair", REMOVED)
}

pub fn sysbpf_single<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    single(stage, "sysbpf", REMOVED)
}

pub fn sysbpf_array<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    array(stage, "sysbpf", REMOVED)
}

pub fn kfunc_single<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    has_kfunc("bpf_map_compare_and_delete_elem")?;
    single(stage, "kfunc", REMOVED)
}

pub fn kfunc_array<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    has_kfunc("bpf_map_compare_and_delete_elem")?;
    array(stage, "kfunc", REMOVED)
}

pub fn kfunc_update_single<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    has_kfunc("bpf_map_compare_and_update_elem")?;
    single(stage, "kfunc-update", REPLACED)
}

pub fn kfunc_update_array<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    has_kfunc("bpf_map_compare_and_update_elem")?;
    array(stage, "kfunc-update", REPLACED)
}

fn has_kfunc(kfunc: &str) -> Result<(), Not> {
    let symbols = fs::read_to_string("/proc/kallsyms").context("cannot read /proc/kallsyms")?;
    if symbols.lines().any(|line| line.split_whitespace().nth(2) == Some(kfunc)) {
        return Ok(());
    }
    Err(Not::Here(format!("this series has no kfunc {kfunc}")))
}

fn program(stage: &Stage<'_>, name: &str) -> Result<Loaded, Not> {
    let elements = stage.elements;
    let loaded = load(object(BENCHES, name)?, |map, open| {
        if map == "entries" {
            open.reuse_fd(elements.fd())?;
        }
        Ok(())
    })?;
    Ok(loaded)
}

fn put(context: &mut [u8], at: usize, bytes: &[u8]) {
    context[at..at + bytes.len()].copy_from_slice(bytes);
}

fn run(prepared: &mut Prepared) -> Result<u64, Not> {
    let (took, answer) = prepared.timed();
    must_say(answer, 0)?;
    match prepared.returned() {
        0 => Ok(took),
        returned => Err(Not::Broken(format!("the program returned {}", returned.cast_signed()))),
    }
}

fn must_result(result: i32, wanted: i32, i: u64) -> Result<(), Not> {
    if result == wanted {
        return Ok(());
    }
    Err(Not::Broken(format!("the program says {result} of entry {i}, where it must say {wanted}")))
}

/// One key in the context. Before it is timed the program has to keep an entry that differs.
fn single<'a>(stage: &'a Stage<'a>, name: &str, became: Became) -> Result<Trial<'a>, Not> {
    let loaded = program(stage, name)?;
    let map_fd = stage.elements.fd().as_raw_fd();
    let mut prepared = Prepared::run_on_context(loaded.program("single")?, CALL);
    let mut one = move |i: u64, lifetime: u32| -> Result<(u64, i32), Not> {
        let context = prepared.value_mut();
        context.fill(0);
        put(context, 0, &key(i));
        put(context, LIFETIME_AT, &lifetime.to_ne_bytes());
        put(context, MAP_FD_AT, &map_fd.to_ne_bytes());
        let took = run(&mut prepared)?;
        let result = prepared.values()[RESULT_AT..RESULT_AT + 4].try_into().map(i32::from_ne_bytes);
        Ok((took, result.unwrap_or(i32::MAX)))
    };
    let (_, kept) = one(0, SEEN + 1)?;
    if ![-libc::ESTALE, -libc::EBUSY].contains(&kept) {
        return Err(Not::Broken(format!("the program says {kept} of an entry that differs")));
    }
    stage.must_be_kept(0)?;
    Ok(Box::new(move |i| {
        // The fds live as long as the trial.
        let _ = &loaded;
        let (took, result) = one(i, SEEN)?;
        must_result(result, 0, i)?;
        became(stage, i)?;
        Ok(took)
    }))
}

/// [`BATCH`] keys in shared memory.
fn array<'a>(stage: &'a Stage<'a>, name: &str, became: Became) -> Result<Trial<'a>, Not> {
    let loaded = program(stage, name)?;
    let map_fd = stage.elements.fd().as_raw_fd();
    let jobs = Shared::<Jobs>::map(loaded.map("jobs")?)?;
    for (i, job) in (0..BATCH).zip(&jobs.0) {
        for (word, bytes) in job.key.iter().zip(key(i).chunks_exact(KEY_SIZE / 2)) {
            word.store(u64::from_ne_bytes(bytes.try_into().unwrap_or_default()), Relaxed);
        }
        job.lifetime.store(SEEN, Relaxed);
    }
    let mut prepared = Prepared::run_on_context(loaded.program("array")?, CALL);
    put(prepared.value_mut(), COUNT_AT, &BATCH_COUNT.to_ne_bytes());
    put(prepared.value_mut(), MAP_FD_AT, &map_fd.to_ne_bytes());
    Ok(Box::new(move |_| {
        let _ = &loaded;
        jobs.0.iter().for_each(|job| job.result.store(i32::MAX, Relaxed));
        let took = run(&mut prepared)?;
        for (i, job) in (0..BATCH).zip(&jobs.0) {
            must_result(job.result.load(Relaxed), 0, i)?;
            became(stage, i)?;
        }
        Ok(took)
    }))
}

/// State words of [`BATCH`] slots.
#[repr(C)]
struct Words([AtomicU64; 256]);

const _: () = assert!(size_of::<Words>() as u64 == 8 * BATCH);

// SAFETY: atomics alone.
unsafe impl Plain for Words {}

/// An arena with a state word in each of some slots, as `bpf/arena.h` has them.
pub struct Arena {
    words: Shared<Words>,
    _map: MapHandle,
}

impl Arena {
    /// Makes it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> Result<Self, Not> {
        let map = arena_of(size_of::<Words>()).map_err(|error| Not::Here(format!("no arena: {error:#}")))?;
        let words = Shared::map_arena(map.as_fd())?;
        Ok(Self { words, _map: map })
    }

    /// Takes each slot from its old state to the next one, each swap checked.
    ///
    /// # Errors
    /// [`Not::Broken`] if one fails, with nobody else there.
    pub fn swap_all(&self) -> Result<u64, Not> {
        let mut swapped = 0;
        let before = now();
        for word in &self.words.0 {
            let old = word.load(Relaxed);
            swapped += u64::from(word.compare_exchange(old, old.wrapping_add(4), AcqRel, Relaxed).is_ok());
        }
        let took = now() - before;
        if swapped == BATCH { Ok(took) } else { Err(Not::Broken(format!("{swapped} of {BATCH} swaps"))) }
    }
}
