// SPDX-License-Identifier: MIT OR Apache-2.0
//! Does this kernel have compare-and-delete, and what else of it? Asked of the kernel's behaviour, never of its version.
//!
//! Bit 32 may one day mean something else on a kernel without the series. So an answer of "supported" needs every one of the
//! documented ones: refusals that are asked for with addresses which cannot be read ([`refusals`]), and a scratch map of the type in
//! question whose entries change on equality and stay on a difference ([`scratch`]). Anything else is "unsupported".
//!
//! The same look tells which errno means a difference: `-EBUSY` in the series as first posted, `-ESTALE` since. Only the one that
//! this kernel was seen to say is taken for it, so the other stays an error that a caller hears of.
//!
//! Where this process may not make a map, the refusals are asked of the caller's own one ([`own`]).

mod answers;
mod own;
mod refusals;
mod scratch;

use crate::bindings as abi;
use crate::change::Change;
use crate::{Error, Map};

use answers::{Answers, Size};
pub(crate) use answers::{Differs, OwnAnswers};

/// Whether this kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Support {
    /// It does, and was seen to behave as documented.
    Supported,
    /// It does not, or not as documented.
    Unsupported,
}

/// Asks this kernel whether it has compare-and-delete, for `BPF_MAP_TYPE_HASH` at least. The answer is kept for the
/// life of the process; touches no map but a scratch one of its own.
///
/// # Errors
/// No answer, and none is kept: [`Error::NoBpf`] (`-ENOSYS`), [`Error::Permission`] (bpf(2) itself is refused, or this process may
/// not make a map to find out with: then [`Map::check`] asks with a map of the caller's), [`Error::Os`] (the scratch map could not
/// be made for another reason).
pub fn probe() -> Result<Support, Error> {
    probe_map_type(abi::BPF_MAP_TYPE_HASH)
}

/// The same for maps of one type. Only `BPF_MAP_TYPE_HASH` and `BPF_MAP_TYPE_LRU_HASH` are known to this crate, any other
/// is unsupported.
///
/// # Errors
/// As [`probe()`].
pub fn probe_map_type(map_type: u32) -> Result<Support, Error> {
    support(map_type, Change::Delete, Size::One)
}

/// Whether it compares and deletes batches of maps of this type.
///
/// # Errors
/// As [`probe()`].
pub fn probe_batch(map_type: u32) -> Result<Support, Error> {
    support(map_type, Change::Delete, Size::Many)
}

/// Whether it compares and updates entries of maps of this type.
///
/// # Errors
/// As [`probe()`].
pub fn probe_update(map_type: u32) -> Result<Support, Error> {
    support(map_type, Change::Update, Size::One)
}

/// Whether it compares and updates batches of maps of this type.
///
/// # Errors
/// As [`probe()`].
pub fn probe_update_batch(map_type: u32) -> Result<Support, Error> {
    support(map_type, Change::Update, Size::Many)
}

fn support(map_type: u32, change: Change, size: Size) -> Result<Support, Error> {
    match seen_on_scratch(map_type, change, size) {
        Ok(_) => Ok(Support::Supported),
        Err(
            Error::UnsupportedKernel
            | Error::UnsupportedMap { .. }
            | Error::UnsupportedUpdate { .. }
            | Error::UnsupportedBatch { .. },
        ) => Ok(Support::Unsupported),
        Err(error) => Err(error),
    }
}

/// No key goes to a caller's map before this kernel was seen to do as documented with another of its type, or, where no other may
/// be made, to refuse as documented with that map itself.
pub(crate) fn require(map: &Map<'_>, change: Change) -> Result<Differs, Error> {
    require_size(map, change, Size::One)
}

/// The same of a batch, where a wrong answer would cost more: a kernel without the series deletes every key of one.
pub(crate) fn require_batch(map: &Map<'_>, change: Change) -> Result<Differs, Error> {
    require_size(map, change, Size::Many)
}

fn require_size(map: &Map<'_>, change: Change, size: Size) -> Result<Differs, Error> {
    match seen_on_scratch(map.info().map_type, change, size) {
        Err(Error::Permission) => own::seen(map, change, size),
        answer => answer,
    }
}

/// Whether maps of this type are asked about, and known to hold plain bytes.
pub(crate) fn is_known(map_type: u32) -> bool {
    slot(map_type).is_some()
}

/// Where answers on a type are kept.
fn slot(map_type: u32) -> Option<usize> {
    [abi::BPF_MAP_TYPE_HASH, abi::BPF_MAP_TYPE_LRU_HASH].iter().position(|&known| known == map_type)
}

/// What was seen of maps of this type, from the least to what was asked for: the error says what is the first that is not there.
fn seen_on_scratch(map_type: u32, change: Change, size: Size) -> Result<Differs, Error> {
    use Size::{Many, One};
    let ask = |map_type, change, size, missing| ask(map_type, change, size)?.ok_or(missing);
    let differs = ask(abi::BPF_MAP_TYPE_HASH, Change::Delete, One, Error::UnsupportedKernel)?;
    if map_type == abi::BPF_MAP_TYPE_HASH && (change, size) == (Change::Delete, One) {
        return Ok(differs);
    }
    let differs = ask(map_type, Change::Delete, One, Error::UnsupportedMap { map_type })?;
    let differs = match change {
        Change::Delete => differs,
        Change::Update => ask(map_type, change, One, Error::UnsupportedUpdate { map_type })?,
    };
    match size {
        One => Ok(differs),
        Many => ask(map_type, change, Many, Error::UnsupportedBatch { map_type }),
    }
}

/// An answer, asked for once. What ends in an error is asked for again.
fn ask(map_type: u32, change: Change, size: Size) -> Result<Option<Differs>, Error> {
    static ANSWERS: [Answers<Option<Differs>>; 2] = [const { Answers::new() }; 2];
    let Some(slot) = slot(map_type) else { return Ok(None) };
    ANSWERS[slot].once(change, size, || scratch::seen(map_type, change, size))
}
