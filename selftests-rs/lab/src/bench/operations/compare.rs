// SPDX-License-Identifier: MIT OR Apache-2.0
//! What takes a kernel with a series: compare and delete.

use cmpdel_uapi_raw::{Elements, Errno, Prepared};

use super::super::Not;
use super::super::stage::{SEEN, Stage, key, set_lifetime};
use super::{BATCH_COUNT, Trial, call, keys_of_batch, misses, removes, whole_batch};
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

/// What this series says of a window that differs.
fn differs(stage: &Stage<'_>) -> Result<i32, Not> {
    let mut prepared = compare(stage, Some(4), SEEN + 1)?;
    prepared.keys_mut().copy_from_slice(&key(0));
    match prepared.timed().1 {
        Err(Errno(errno @ (libc::EAGAIN | libc::EBUSY))) => Ok(errno),
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
