// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same question for batches, where a wrong answer would cost more: a kernel without the series ignores `values` and
//! `flags` of this command, and deletes every key it is given. It does refuse bytes behind `flags`, before it looks at
//! the fd. So it is asked with an fd that cannot exist, and then, strictly, on a scratch map: a process that may not make
//! one is not told of any support.

use std::sync::OnceLock;

use super::{Answers, DOCUMENTED, NO_FD, Support, ask_kernel, is_documented, once, scratch_of, slot};
use crate::Error;
use crate::bindings::{self as abi, bpf_attr};
use crate::scratch::Scratch;
use crate::sys::{self, BatchArguments, address};

/// Asks whether this kernel compares and deletes batches of maps of this type. Unlike [`super::probe()`] it is never
/// answered with yes where no scratch map could be made. The answers are kept for the life of the process.
///
/// # Errors
/// As [`super::probe()`]; [`Error::Permission`] also where this process may not make a map to find out with.
pub fn probe_batch(map_type: u32) -> Result<Support, Error> {
    Ok(if ask(map_type)?.is_some() { Support::Supported } else { Support::Unsupported })
}

/// No batch goes to a caller's map before this kernel was seen to do as documented with another of its type. Returns
/// the errno, as a positive number, that the status of a window which differs has.
pub(crate) fn require_batch(map_type: u32) -> Result<i32, Error> {
    super::require(map_type)?;
    if slot(map_type).is_none() {
        return Err(Error::UnsupportedMap { map_type });
    }
    ask(map_type)?.ok_or(Error::UnsupportedBatch { map_type })
}

fn ask(map_type: u32) -> Result<Option<i32>, Error> {
    static ANSWERS: Answers<Option<i32>> = [const { OnceLock::new() }; 2];
    let Some(slot) = slot(map_type) else { return Ok(None) };
    once(Some(&ANSWERS[slot]), || {
        if ask_kernel()?.is_none() || !answers_before_the_fd()? {
            return Ok(None);
        }
        behaves_on_a_scratch_map(map_type)
    })
}

/// Without a map, nothing can be deleted. The first case is `-EINVAL` on every kernel that does not know the fields.
fn answers_before_the_fd() -> Result<bool, Error> {
    type Spoil = fn(&mut bpf_attr);
    const CASES: [(i32, Spoil); 5] = [
        (libc::EBADF, |_| {}),
        (libc::EINVAL, |attr| attr.batch.compare_size = 0),
        (libc::EINVAL, |attr| attr.batch.elem_flags = 0),
        (libc::EINVAL, |attr| attr.batch.flags = 1),
        (libc::EINVAL, |attr| attr.batch.in_batch = attr_address(attr)),
    ];
    let bytes = [0_u8; 8];
    for (documented, spoil) in CASES {
        let mut attr = sys::batch_attr(&BatchArguments {
            fd: NO_FD.cast_signed(),
            keys: address(&bytes),
            values: address(&bytes),
            statuses: address(&bytes),
            count: 1,
            offset: 0,
            size: 1,
        });
        spoil(&mut attr);
        // SAFETY: without a map nothing is read or written but the attribute.
        let answer = unsafe { sys::bpf(abi::BPF_MAP_DELETE_BATCH, &mut attr) };
        if !is_documented(answer, documented, "BPF_MAP_DELETE_BATCH")? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Any address will do where it is refused.
fn attr_address(attr: &bpf_attr) -> u64 {
    std::ptr::from_ref(attr).expose_provenance() as u64
}

/// Three keys: one whose window is equal, one whose window differs, one of no entry. Each must get its status and its
/// due, and an entry that is not among them must stay.
fn behaves_on_a_scratch_map(map_type: u32) -> Result<Option<i32>, Error> {
    const EQUAL: [u8; 4] = *b"same";
    const ABSENT: [u8; 4] = *b"none";
    const OTHER: [u8; 4] = *b"else";
    const VALUE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
    /// Differs within the window and without.
    const SEEN: [u8; 8] = [9, 2, 3, 4, 5, 6, 8, 8];
    let scratch = scratch_of(map_type)?.ok_or(Error::Permission)?;
    for key in [Scratch::KEY, EQUAL, OTHER] {
        scratch.put(key, VALUE).map_err(|error| Error::from_os("BPF_MAP_UPDATE_ELEM", error))?;
    }
    let keys = [Scratch::KEY, ABSENT, EQUAL].concat();
    let values = [SEEN, VALUE, VALUE].concat();
    let mut statuses = [0_i32; 3].map(|_| i32::MAX);
    let arguments = BatchArguments {
        fd: scratch.fd(),
        keys: address(&keys),
        values: address(&values),
        statuses: sys::address_of_statuses(&mut statuses),
        count: 3,
        offset: 3,
        size: 4,
    };
    // SAFETY: three keys, values and statuses, as long as this map's.
    let (count, answer) = unsafe { sys::delete_batch_compare(&arguments) };
    let [differs, absent, deleted] = statuses;
    let there = |key| scratch.get(key).is_ok_and(|value| value == VALUE);
    let as_documented = answer.is_ok()
        && count == 3
        && (absent, deleted) == (-libc::ENOENT, 0)
        && scratch.lacks(EQUAL)
        && there(Scratch::KEY)
        && there(OTHER);
    Ok(DOCUMENTED.into_iter().find(|&errno| as_documented && differs == -errno))
}
