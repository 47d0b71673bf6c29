// SPDX-License-Identifier: MIT OR Apache-2.0
//! Does this kernel have compare-and-delete? Asked of the kernel's behaviour, never of its version.
//!
//! Bit 32 may one day mean something else on a kernel without the series. So an answer of "supported" needs every one
//! of the documented ones: those that a kernel gives before it looks at the fd, and, where a map may be made, a scratch
//! map of the type in question that keeps its entry on a difference and loses it on equality. Anything else is
//! "unsupported".
//!
//! The same look tells which errno means a difference: `-EBUSY` in the posted series, `-EAGAIN` in its second version.
//! Only the one that this kernel was seen to say is taken for it, so the other stays an error that a caller hears of.

mod batch;

use std::io;
use std::sync::OnceLock;

use crate::Error;
use crate::bindings as abi;
use crate::scratch::Scratch;
use crate::sys::{self, address};

pub use batch::probe_batch;
pub(crate) use batch::require_batch;

/// Whether this kernel has compare-and-delete.
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
/// No answer, and none is kept: [`Error::NoBpf`] (`-ENOSYS`), [`Error::Permission`] (bpf(2) itself is refused),
/// [`Error::Os`] (the scratch map could not be made for another reason than permission).
pub fn probe() -> Result<Support, Error> {
    Ok(if ask_kernel()?.is_some() { Support::Supported } else { Support::Unsupported })
}

/// The same for maps of one type. Only `BPF_MAP_TYPE_HASH` and `BPF_MAP_TYPE_LRU_HASH` are known to this crate, any other
/// is unsupported. The answers are kept for the life of the process.
///
/// # Errors
/// As [`probe()`]; [`Error::Permission`] also where this process may not make a map of this type to find out with.
pub fn probe_map_type(map_type: u32) -> Result<Support, Error> {
    if ask_kernel()?.is_none() || slot(map_type).is_none() {
        return Ok(Support::Unsupported);
    }
    match ask_map_type(map_type)? {
        Some(Differs::Unseen) if map_type != abi::BPF_MAP_TYPE_HASH => Err(Error::Permission),
        Some(_) => Ok(Support::Supported),
        None => Ok(Support::Unsupported),
    }
}

/// What this kernel says of a window that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Differs {
    /// This errno and no other.
    Says(i32),
    /// It could not be seen, for want of the right to make a map: one of the documented two.
    Unseen,
}

impl Differs {
    /// Whether this errno, as a positive number, says so.
    pub(crate) fn is(self, errno: i32) -> bool {
        match self {
            Self::Says(seen) => errno == seen,
            Self::Unseen => DOCUMENTED.contains(&errno),
        }
    }
}

/// What the series have said of a window that differs.
const DOCUMENTED: [i32; 2] = [libc::EBUSY, libc::EAGAIN];

/// Nothing goes to a caller's map before this kernel was seen to do as documented with another of its type. A type
/// that is not known here is left to the kernel, which then says `-EOPNOTSUPP`.
pub(crate) fn require(map_type: u32) -> Result<Differs, Error> {
    let Some(differs) = ask_kernel()? else { return Err(Error::UnsupportedKernel) };
    if slot(map_type).is_none() {
        return Ok(differs);
    }
    ask_map_type(map_type)?.ok_or(Error::UnsupportedMap { map_type })
}

/// Whether maps of this type are asked about, and known to hold plain bytes.
pub(crate) fn is_known(map_type: u32) -> bool {
    slot(map_type).is_some()
}

/// Where answers on a type are kept.
fn slot(map_type: u32) -> Option<usize> {
    [abi::BPF_MAP_TYPE_HASH, abi::BPF_MAP_TYPE_LRU_HASH].iter().position(|&known| known == map_type)
}

/// Answers for the types of [`slot`].
type Answers<T> = [OnceLock<T>; 2];

/// An answer, asked for once. What ends in an error is asked for again.
fn once<T: Copy>(kept: Option<&OnceLock<T>>, ask: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    match kept.map(|kept| (kept, kept.get())) {
        Some((_, Some(&answer))) => Ok(answer),
        Some((kept, None)) => ask().map(|answer| *kept.get_or_init(|| answer)),
        None => ask(),
    }
}

fn ask_kernel() -> Result<Option<Differs>, Error> {
    static ANSWER: OnceLock<Option<Differs>> = OnceLock::new();
    once(Some(&ANSWER), || {
        Ok(if answers_before_the_fd()? { ask_map_type(abi::BPF_MAP_TYPE_HASH)? } else { None })
    })
}

fn ask_map_type(map_type: u32) -> Result<Option<Differs>, Error> {
    static ANSWERS: Answers<Option<Differs>> = [const { OnceLock::new() }; 2];
    once(slot(map_type).map(|i| &ANSWERS[i]), || behaves_on_a_scratch_map(map_type))
}

/// What is checked before the fd is looked up, on an fd that cannot exist: `-EBADF` where all is right, `-EINVAL` for
/// an empty window and for compare fields without the flag. A kernel without the series says `-EINVAL` to the first.
fn answers_before_the_fd() -> Result<bool, Error> {
    const CASES: [(u32, u32, i32); 3] =
        [(abi::BPF_F_COMPARE, 1, libc::EBADF), (abi::BPF_F_COMPARE, 0, libc::EINVAL), (0, 1, libc::EINVAL)];
    let byte = [0_u8];
    for (flags, compare_size, documented) in CASES {
        let mut attr = sys::zeroed_attr();
        attr.__bindgen_anon_2.map_fd = NO_FD;
        attr.__bindgen_anon_2.key = address(&byte);
        attr.__bindgen_anon_2.flags = flags.into();
        attr.__bindgen_anon_2.compare = address(&byte);
        attr.__bindgen_anon_2.compare_size = compare_size;
        // SAFETY: without a map there are no keys to read; the window is one byte at most, and one is there.
        let answer = unsafe { sys::bpf(abi::BPF_MAP_DELETE_ELEM, &mut attr) };
        if !is_documented(answer, documented, "BPF_MAP_DELETE_ELEM")? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// No process has this one.
const NO_FD: u32 = u32::MAX;

/// Whether the kernel said this errno. That bpf(2) is refused altogether is no answer.
fn is_documented<T>(answer: io::Result<T>, documented: i32, call: &'static str) -> Result<bool, Error> {
    match errno(answer) {
        Some(said) if said == documented => Ok(true),
        Some(said @ (libc::ENOSYS | libc::EPERM | libc::EACCES)) => {
            Err(Error::from_os(call, io::Error::from_raw_os_error(said)))
        }
        _ => Ok(false),
    }
}

/// A map of a few entries must keep one when the window differs and lose it when the window is equal. Where this
/// process may not make maps, the answers before the fd must do, and those of the kernel to the real call.
fn behaves_on_a_scratch_map(map_type: u32) -> Result<Option<Differs>, Error> {
    const VALUE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
    let Some(scratch) = scratch_of(map_type)? else { return Ok(Some(Differs::Unseen)) };
    scratch.put(Scratch::KEY, VALUE).map_err(|error| Error::from_os("BPF_MAP_UPDATE_ELEM", error))?;

    let said = errno(scratch.delete(3, [4, 5, 6, 8])).filter(|said| DOCUMENTED.contains(said));
    let kept = scratch.get(Scratch::KEY).is_ok_and(|value| value == VALUE);
    let deletes = || scratch.delete(3, [4, 5, 6, 7]).is_ok() && scratch.lacks(Scratch::KEY);
    Ok(said.filter(|_| kept && deletes()).map(Differs::Says))
}

/// A scratch map, or none where this process may not make one.
fn scratch_of(map_type: u32) -> Result<Option<Scratch>, Error> {
    match Scratch::new(map_type) {
        Ok(scratch) => Ok(Some(scratch)),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) => Ok(None),
        Err(error) => Err(Error::from_os("BPF_MAP_CREATE", error)),
    }
}

fn errno<T>(answer: io::Result<T>) -> Option<i32> {
    answer.err().and_then(|error| error.raw_os_error())
}
