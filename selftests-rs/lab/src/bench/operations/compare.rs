// SPDX-License-Identifier: MIT OR Apache-2.0
//! What takes a kernel with a series: compare and delete, compare and update.

use cmpdel_uapi_raw::{Elements, Errno, Prepared};

use super::super::Not;
use super::super::stage::{LIVE, SEEN, Stage, key, must_say, set_lifetime};
use super::super::trial::{BATCH_COUNT, Trial};
use super::{call, keys_of_batch, misses, must_be_next, next_values, removes, whole_batch};
use crate::layout::LIFETIME;

/// Where a window of so many bytes begins: at the lifetime, if it fits there.
fn window(elements: &Elements<'_>, size: u32) -> u32 {
    if size as usize + LIFETIME as usize <= elements.value_size() && size <= 8 { LIFETIME } else { 0 }
}

fn compare(stage: &Stage<'_>, size: Option<u32>, lifetime: u32) -> Result<Prepared, Not> {
    let (elements, size) = (&stage.elements, size.unwrap_or(4));
    let mut prepared = Prepared::compare(elements, window(elements, size), size)?;
    prepared.value_mut().copy_from_slice(&stage.value);
    set_lifetime(prepared.value_mut(), lifetime);
    Ok(prepared)
}

pub fn hit<'a>(stage: &'a Stage<'a>, size: Option<u32>) -> Result<Trial<'a>, Not> {
    removes(stage, compare(stage, size, SEEN)?)
}

pub fn mismatch<'a>(stage: &'a Stage<'a>, size: Option<u32>) -> Result<Trial<'a>, Not> {
    // Longer windows differ at their end: one that differs at once costs less, and says less.
    let mut prepared = compare(stage, size, SEEN + u32::from(size.is_none_or(|size| size <= 8)))?;
    if size.is_some_and(|size| size > 8)
        && let Some(last) = prepared.value_mut().last_mut()
    {
        *last = !*last;
    }
    let differs = differs(stage)?;
    Ok(Box::new(move |i| {
        let took = call(&mut prepared, i, differs)?;
        stage.must_be_kept(i)?;
        Ok(took)
    }))
}

pub fn absent<'a>(stage: &'a Stage<'a>, size: Option<u32>) -> Result<Trial<'a>, Not> {
    misses(compare(stage, size, SEEN)?)
}

/// The new value has the next lifetime; the expected bytes stand behind it.
fn compare_update(stage: &Stage<'_>, size: Option<u32>, lifetime: u32) -> Result<Prepared, Not> {
    let (elements, size) = (&stage.elements, size.unwrap_or(4));
    let offset = window(elements, size);
    let mut prepared = Prepared::compare_update(elements, offset, size)?;
    let (value, expected) = prepared.value_mut().split_at_mut(elements.value_size());
    value.copy_from_slice(&stage.value);
    set_lifetime(value, lifetime);
    expected.copy_from_slice(&value[offset as usize..][..size as usize]);
    set_lifetime(value, SEEN + 1);
    Ok(prepared)
}

/// The series as posted has no update, and takes the flag for one that it does not know.
fn takes_updates(stage: &Stage<'_>, prepared: &mut Prepared) -> Result<(), Not> {
    prepared.keys_mut().copy_from_slice(&key(LIVE));
    match prepared.timed().1 {
        Err(Errno(libc::EINVAL)) => Err(Not::Here("this series has no update with BPF_F_COMPARE".into())),
        answer => {
            must_say(answer, libc::ENOENT)?;
            stage.must_be_gone(LIVE)
        }
    }
}

pub fn update_hit<'a>(stage: &'a Stage<'a>, size: Option<u32>) -> Result<Trial<'a>, Not> {
    let mut prepared = compare_update(stage, size, SEEN)?;
    takes_updates(stage, &mut prepared)?;
    let mut next = stage.value.clone();
    set_lifetime(&mut next, SEEN + 1);
    Ok(Box::new(move |i| {
        let took = call(&mut prepared, i, 0)?;
        if stage.at(i)?.as_ref() != Some(&next) {
            return Err(Not::Broken(format!("entry {i} is not what it was updated to")));
        }
        stage.put(i)?;
        Ok(took)
    }))
}

pub fn update_differs<'a>(stage: &'a Stage<'a>, size: Option<u32>) -> Result<Trial<'a>, Not> {
    let mut prepared = compare_update(stage, size, SEEN + 2)?;
    takes_updates(stage, &mut prepared)?;
    Ok(Box::new(move |i| {
        let took = call(&mut prepared, i, libc::ESTALE)?;
        stage.must_be_kept(i)?;
        Ok(took)
    }))
}

/// What this series says of a window that differs.
fn differs(stage: &Stage<'_>) -> Result<i32, Not> {
    let mut prepared = compare(stage, Some(4), SEEN + 1)?;
    prepared.keys_mut().copy_from_slice(&key(0));
    match prepared.timed().1 {
        Err(Errno(errno @ (libc::ESTALE | libc::EBUSY))) => Ok(errno),
        answer => Err(Not::Broken(format!("the kernel says {answer:?} of a window that differs"))),
    }
}

pub fn batch_hits<'a>(stage: &'a Stage<'a>, size: Option<u32>) -> Result<Trial<'a>, Not> {
    batch(stage, size, |_| true)
}

pub fn batch_mixed<'a>(stage: &'a Stage<'a>, size: Option<u32>) -> Result<Trial<'a>, Not> {
    batch(stage, size, |i| i.is_multiple_of(2))
}

fn batch<'a>(stage: &'a Stage<'a>, size: Option<u32>, equal: fn(u64) -> bool) -> Result<Trial<'a>, Not> {
    let (elements, size) = (&stage.elements, size.unwrap_or(4));
    let offset = window(elements, size);
    let differs = differs(stage)?;
    let mut prepared = Prepared::compare_batch(elements, BATCH_COUNT, offset, size)?;
    keys_of_batch(prepared.keys_mut());
    for (i, place) in (0..).zip(prepared.value_mut().chunks_exact_mut(elements.value_size())) {
        place.copy_from_slice(&stage.value);
        set_lifetime(place, SEEN + u32::from(!equal(i)));
    }
    let mut known = false;
    Ok(Box::new(move |_| {
        let timed = prepared.timed();
        if !known && timed.1 == Err(Errno(libc::EINVAL)) {
            return Err(Not::Here("this series has no batch form of BPF_F_COMPARE".into()));
        }
        known = true;
        let took = whole_batch(&prepared, timed)?;
        for (i, &status) in (0..).zip(prepared.statuses()) {
            if status != if equal(i) { 0 } else { -differs } {
                return Err(Not::Broken(format!("element {i} of the batch has status {status}")));
            }
            if equal(i) {
                stage.must_be_gone(i)?;
                stage.put(i)?;
            } else {
                stage.must_be_kept(i)?;
            }
        }
        Ok(took)
    }))
}

pub fn update_batch_hits<'a>(stage: &'a Stage<'a>, size: Option<u32>) -> Result<Trial<'a>, Not> {
    let (elements, size) = (&stage.elements, size.unwrap_or(4));
    let mut prepared = Prepared::compare_update_batch(elements, BATCH_COUNT, window(elements, size), size)?;
    keys_of_batch(prepared.keys_mut());
    let half = BATCH_COUNT as usize * elements.value_size();
    let (new, seen) = prepared.value_mut().split_at_mut(half);
    next_values(new, stage);
    for place in seen.chunks_exact_mut(elements.value_size()) {
        place.copy_from_slice(&stage.value);
    }
    let mut known = false;
    Ok(Box::new(move |_| {
        let timed = prepared.timed();
        if !known && timed.1 == Err(Errno(libc::EINVAL)) {
            return Err(Not::Here("this series has no update with BPF_F_COMPARE".into()));
        }
        known = true;
        let took = whole_batch(&prepared, timed)?;
        if let Some(i) = prepared.statuses().iter().position(|&status| status != 0) {
            return Err(Not::Broken(format!("element {i} of the batch has a status that is not 0")));
        }
        must_be_next(stage)?;
        Ok(took)
    }))
}
