// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a kernel behaves on a scratch map: a few entries, of which some are to change and all others to stay.

use super::answers::{DOCUMENTED, Differs, Size, errno};
use super::refusals::{self, Said};
use crate::Error;
use crate::change::Change;
use crate::scratch::Scratch;
use crate::sys::{self, Batch, address};

const EQUAL: [u8; 4] = *b"same";
const ABSENT: [u8; 4] = *b"none";
const OTHER: [u8; 4] = *b"else";
const VALUE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
/// Differs from the value within the window, of four bytes at 3, and without.
const SEEN: [u8; 8] = [9, 2, 3, 4, 5, 6, 8, 8];
const NEW: [u8; 8] = [11, 12, 13, 14, 15, 16, 17, 18];
const OFFSET: u32 = 3;

/// What a difference is said with, if all is as documented.
///
/// # Errors
/// [`Error::Permission`] where no scratch map may be made.
pub(super) fn seen(map_type: u32, change: Change, size: Size) -> Result<Option<Differs>, Error> {
    let scratch = Scratch::new(map_type).map_err(|error| Error::from_os("BPF_MAP_CREATE", error))?;
    if refusals::ask(scratch.fd(), change, size, OFFSET)? != Said::Documented {
        return Ok(None);
    }
    for key in [Scratch::KEY, EQUAL, OTHER] {
        scratch.put(key, VALUE).map_err(|error| Error::from_os("BPF_MAP_UPDATE_ELEM", error))?;
    }
    let said = match size {
        Size::One => one_by_one(&scratch, change),
        Size::Many => as_a_batch(&scratch, change),
    };
    let there = |key| scratch.get(key).is_ok_and(|value| value == VALUE);
    let changed = match change {
        Change::Delete => scratch.lacks(EQUAL),
        Change::Update => scratch.get(EQUAL).is_ok_and(|value| value == NEW),
    };
    let as_documented = changed && there(Scratch::KEY) && there(OTHER) && scratch.lacks(ABSENT);
    Ok(said.filter(|said| as_documented && DOCUMENTED.contains(said)).map(Differs::Says))
}

fn one_by_one(scratch: &Scratch, change: Change) -> Option<i32> {
    let of = |[_, _, _, a, b, c, d, _]: [u8; 8]| (OFFSET, [a, b, c, d]);
    let said = errno(scratch.change(change, Scratch::KEY, of(SEEN), NEW));
    let absent = errno(scratch.change(change, ABSENT, of(VALUE), NEW)) == Some(libc::ENOENT);
    let done = scratch.change(change, EQUAL, of(VALUE), NEW).is_ok();
    said.filter(|_| absent && done)
}

fn as_a_batch(scratch: &Scratch, change: Change) -> Option<i32> {
    let keys = [Scratch::KEY, ABSENT, EQUAL].concat();
    let seen = [SEEN, VALUE, VALUE].concat();
    let new = [NEW; 3].concat();
    let mut statuses = [i32::MAX; 3];
    let batch = Batch {
        fd: scratch.fd(),
        keys: address(&keys),
        values: if change == Change::Update { address(&new) } else { 0 },
        statuses: sys::address_of_statuses(&mut statuses),
        count: 3,
        expected: address(&seen[OFFSET as usize..]),
        stride: 8,
        offset: OFFSET,
        size: 4,
    };
    // SAFETY: three keys, values and statuses, as long as this map's; the last window ends before the last value does.
    let (count, answer) = unsafe { sys::compare_batch(change, &batch) };
    let [differs, absent, done] = statuses;
    let as_documented = answer.is_ok() && count == 3 && (absent, done) == (-libc::ENOENT, 0);
    as_documented.then_some(differs.saturating_neg())
}
