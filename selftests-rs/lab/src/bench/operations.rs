// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of operations: each is done, timed, and seen to have done what it says, every time.

mod compare;

use std::os::fd::AsFd as _;

use anyhow::Context as _;
use cmpdel_uapi::Map;
use cmpdel_uapi_raw::{Prepared, Timed, timed_getppid, timed_nothing};
use results::bench::{Group, Measure};

use super::clock::Clock;
use super::samples::measure;
use super::stage::{KEY_SIZE, LIVE, SEEN, Stage, key, must_say, set_lifetime};
use super::trial::{BATCH, BATCH_COUNT, Trial};
use super::{Not, Step, programs, stage};
use crate::datapath::MapKind;

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// Bytes compared.
    pub windows: &'static [u32],
    /// Elements of one timed call.
    pub elements: u64,
    /// Timed calls of one sample.
    pub calls: u64,
    /// Wants a kernel with a series.
    pub patched: bool,
    /// Prepares the trial.
    pub open: for<'a> fn(&'a Stage<'a>, Option<u32>) -> Result<Trial<'a>, Not>,
}

const SAMPLES: u64 = 41;
const BATCH_SAMPLES: u64 = 9;
/// Natively and under KVM a sample is blurred by everything else on the machine.
const MORE: u64 = 40;

const fn plain(
    name: &'static str,
    open: for<'a> fn(&'a Stage<'a>, Option<u32>) -> Result<Trial<'a>, Not>,
) -> Operation {
    Operation { name, windows: &[], elements: 1, calls: 1, patched: false, open }
}

const fn comparing(
    name: &'static str,
    windows: &'static [u32],
    open: for<'a> fn(&'a Stage<'a>, Option<u32>) -> Result<Trial<'a>, Not>,
) -> Operation {
    Operation { name, windows, elements: 1, calls: 1, patched: true, open }
}

impl Operation {
    /// The same, for a whole batch in one call.
    pub const fn batch(mut self) -> Self {
        self.elements = BATCH;
        self
    }
}

/// On maps.
const TABLE: &[Operation] = &[
    plain("look-up", look_up),
    plain("update existing", update),
    plain("delete hit", delete_hit),
    plain("delete miss", delete_miss),
    plain("lookup_and_delete", take),
    Operation { calls: 2, ..plain("look-up + delete", pair) },
    plain("delete batch", delete_batch).batch(),
    plain("update batch", update_batch).batch(),
    comparing("compare hit", &[4, 8, 56, 64], compare::hit),
    comparing("compare mismatch", &[4, 8, 56, 64], compare::mismatch),
    comparing("compare absent", &[4, 8, 56, 64], compare::absent),
    comparing("compare-and-update hit", &[4, 8], compare::update_hit),
    comparing("compare-and-update differs", &[4, 8], compare::update_differs),
    comparing("compare batch, all equal", &[4, 8, 56], compare::batch_hits).batch(),
    comparing("compare batch, half differ", &[4, 8, 56], compare::batch_mixed).batch(),
    comparing("compare-and-update batch, all equal", &[4, 8], compare::update_batch_hits).batch(),
    plain("program, one key", programs::pair_single),
    plain("program, array of keys", programs::pair_array).batch(),
    comparing("bpf_sys_bpf, one key", &[4], programs::sysbpf_single),
    comparing("bpf_sys_bpf, array of keys", &[4], programs::sysbpf_array).batch(),
    comparing("kfunc, one key", &[4], programs::kfunc_single),
    comparing("kfunc, array of keys", &[4], programs::kfunc_array).batch(),
    comparing("kfunc update, one key", &[4], programs::kfunc_update_single),
    comparing("kfunc update, array of keys", &[4], programs::kfunc_update_array).batch(),
];

/// Without a map of entries. What the others are reduced by comes first.
const ALONE: &[(&str, &str, u64)] = &[
    ("harness floor", "-", 0),
    ("getppid", "-", 1),
    ("bpf, unknown command", "-", 2),
    ("compare-and-swap", "arena", 3),
];

/// All steps of the table.
pub fn steps<'a>(native: bool) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = ALONE
        .iter()
        .map(|&(name, map, which)| Step {
            group: Group::Operation,
            what: format!("{name} on {map}"),
            weight: 2_000_000,
            run: Box::new(move |clock| alone(name, map, which, clock)),
        })
        .collect();
    for kind in MapKind::HASHES {
        let map = kind.name();
        for &operation in TABLE.iter().filter(|operation| !native || !operation.patched) {
            let windows = operation.windows.iter().copied().map(Some);
            let none = operation.windows.is_empty().then_some(None);
            for window in windows.chain(none) {
                let bytes = window.map_or(String::new(), |bytes| format!(", window {bytes}"));
                steps.push(Step {
                    group: Group::Operation,
                    what: format!("{}{bytes} on {map}", operation.name),
                    weight: if operation.elements > 1 { 18_000_000 } else { 5_000_000 },
                    run: Box::new(move |clock| on_map(&operation, window, map, kind, clock)),
                });
            }
        }
    }
    steps
}

/// The trial of an operation on a stage that is set.
///
/// # Errors
/// Why there is none.
pub fn open<'a>(name: &str, window: Option<u32>, stage: &'a Stage<'a>) -> Result<Trial<'a>, Not> {
    let operation = TABLE.iter().find(|operation| operation.name == name);
    let operation = operation.with_context(|| format!("there is no operation `{name}`"))?;
    if operation.patched && !operation.name.starts_with("kfunc") {
        compares(stage)?;
    }
    (operation.open)(stage, window)
}

fn on_map(
    operation: &Operation,
    window: Option<u32>,
    map: &str,
    kind: MapKind,
    clock: &Clock,
) -> Result<Measure, Not> {
    let map_fd = stage::map(kind, window)?;
    let stage = Stage::on(map_fd.as_fd())?;
    let mut trial = open(operation.name, window, &stage)?;
    let times = if operation.elements > 1 { BATCH_SAMPLES } else { SAMPLES };
    let samples = sample(&mut trial, times, clock)?;
    let found = measure(Group::Operation, clock, &samples, operation.calls, operation.elements);
    Ok(Measure { operation: operation.name.into(), map: map.into(), window, ..found })
}

/// The kernel compares and deletes on this map.
fn compares(stage: &Stage<'_>) -> Result<(), Not> {
    let elements = stage.elements;
    let map = Map::new(elements.fd()).map_err(anyhow::Error::new)?;
    match map.check() {
        Ok(()) => Ok(()),
        Err(error @ (cmpdel_uapi::Error::UnsupportedKernel | cmpdel_uapi::Error::UnsupportedMap { .. })) => {
            Err(Not::Here(error.to_string()))
        }
        Err(error) => Err(Not::Failed(error.into())),
    }
}

fn sample(trial: &mut Trial<'_>, times: u64, clock: &Clock) -> Result<Vec<u64>, Not> {
    let times = if clock.unit == results::bench::Unit::Ns { times * MORE } else { times };
    // The first call of anything pays for what is done once.
    trial(0)?;
    (0..times).map(|i| trial(i % LIVE)).collect()
}

fn alone(name: &str, map: &str, which: u64, clock: &Clock) -> Result<Measure, Not> {
    let mut unknown = Prepared::unknown();
    let mut arena = None;
    let (mut elements, calls) = (1, u64::from(which > 0));
    let mut trial: Trial<'_> = match which {
        0 => Box::new(|_| Ok(timed_nothing())),
        1 => Box::new(|_| Ok(timed_getppid())),
        2 => Box::new(|_| {
            let (took, answer) = unknown.timed();
            must_say(answer, libc::EINVAL)?;
            Ok(took)
        }),
        _ => {
            elements = BATCH;
            let arena = arena.insert(programs::Arena::new()?);
            Box::new(|_| arena.swap_all())
        }
    };
    let samples = sample(&mut trial, SAMPLES, clock)?;
    let found = measure(Group::Operation, clock, &samples, calls, elements);
    drop(trial);
    Ok(Measure { operation: name.into(), map: map.into(), ..found })
}

/// A prepared call for one key: times it and compares what the kernel says.
fn call(call: &mut Prepared, i: u64, wanted: i32) -> Result<u64, Not> {
    call.keys_mut().copy_from_slice(&key(i));
    let (took, answer) = call.timed();
    must_say(answer, wanted)?;
    Ok(took)
}

fn must_hold(stage: &Stage<'_>, value: &[u8]) -> Result<(), Not> {
    if value == stage.value { Ok(()) } else { Err(Not::Broken("the value copied out is another one".into())) }
}

fn look_up<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    let mut prepared = Prepared::look_up(&stage.elements);
    Ok(Box::new(move |i| {
        prepared.value_mut().fill(0);
        let took = call(&mut prepared, i, 0)?;
        must_hold(stage, prepared.values())?;
        Ok(took)
    }))
}

fn update<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    let mut prepared = Prepared::update(&stage.elements);
    Ok(Box::new(move |i| {
        let mut value = stage.value.clone();
        set_lifetime(&mut value, SEEN + 1);
        prepared.value_mut().copy_from_slice(&value);
        let took = call(&mut prepared, i, 0)?;
        if stage.at(i)? != Some(value) {
            return Err(Not::Broken(format!("entry {i} is not what it was updated to")));
        }
        stage.put(i)?;
        Ok(took)
    }))
}

fn delete_hit<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    removes(stage, Prepared::delete(&stage.elements))
}

/// A call that removes the entry, which is put back for the next time.
fn removes<'a>(stage: &'a Stage<'a>, mut prepared: Prepared) -> Result<Trial<'a>, Not> {
    Ok(Box::new(move |i| {
        let took = call(&mut prepared, i, 0)?;
        stage.must_be_gone(i)?;
        stage.put(i)?;
        Ok(took)
    }))
}

fn delete_miss<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    misses(Prepared::delete(&stage.elements))
}

fn misses<'a>(mut prepared: Prepared) -> Result<Trial<'a>, Not> {
    Ok(Box::new(move |i| call(&mut prepared, LIVE + i, libc::ENOENT)))
}

fn take<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    let mut prepared = Prepared::take(&stage.elements);
    Ok(Box::new(move |i| {
        let took = call(&mut prepared, i, 0)?;
        must_hold(stage, prepared.values())?;
        stage.must_be_gone(i)?;
        stage.put(i)?;
        Ok(took)
    }))
}

fn pair<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    let (mut look_up, mut delete) = (Prepared::look_up(&stage.elements), Prepared::delete(&stage.elements));
    Ok(Box::new(move |i| {
        let looked_up = call(&mut look_up, i, 0)?;
        must_hold(stage, look_up.values())?;
        let deleted = call(&mut delete, i, 0)?;
        stage.must_be_gone(i)?;
        stage.put(i)?;
        Ok(looked_up + deleted)
    }))
}

fn keys_of_batch(keys: &mut [u8]) {
    for (i, place) in (0..).zip(keys.chunks_exact_mut(KEY_SIZE)) {
        place.copy_from_slice(&key(i));
    }
}

fn whole_batch(prepared: &Prepared, timed: Timed) -> Result<u64, Not> {
    let (took, answer) = timed;
    must_say(answer, 0)?;
    if u64::from(prepared.counted()) != BATCH {
        return Err(Not::Broken(format!("{} of {BATCH} keys were dealt with", prepared.counted())));
    }
    Ok(took)
}

fn delete_batch<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    let mut prepared = Prepared::delete_batch(&stage.elements, BATCH_COUNT);
    keys_of_batch(prepared.keys_mut());
    Ok(Box::new(move |_| {
        let timed = prepared.timed();
        let took = whole_batch(&prepared, timed)?;
        for i in 0..BATCH {
            stage.must_be_gone(i)?;
            stage.put(i)?;
        }
        Ok(took)
    }))
}

/// The new values of a batch, each with the next lifetime.
fn next_values(values: &mut [u8], stage: &Stage<'_>) {
    for place in values.chunks_exact_mut(stage.elements.value_size()) {
        place.copy_from_slice(&stage.value);
        set_lifetime(place, SEEN + 1);
    }
}

/// Each entry of a batch has the next lifetime; they are put back.
fn must_be_next(stage: &Stage<'_>) -> Result<(), Not> {
    let mut next = stage.value.clone();
    set_lifetime(&mut next, SEEN + 1);
    for i in 0..BATCH {
        if stage.at(i)?.as_ref() != Some(&next) {
            return Err(Not::Broken(format!("entry {i} is not what it was updated to")));
        }
        stage.put(i)?;
    }
    Ok(())
}

fn update_batch<'a>(stage: &'a Stage<'a>, _: Option<u32>) -> Result<Trial<'a>, Not> {
    let mut prepared = Prepared::update_batch(&stage.elements, BATCH_COUNT);
    keys_of_batch(prepared.keys_mut());
    next_values(prepared.value_mut(), stage);
    Ok(Box::new(move |_| {
        let timed = prepared.timed();
        let took = whole_batch(&prepared, timed)?;
        must_be_next(stage)?;
        Ok(took)
    }))
}
