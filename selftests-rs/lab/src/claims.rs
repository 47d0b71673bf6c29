// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a collector does with entries, and what it says of them.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use anyhow::{Context as _, Result, bail};
use cmpdel_uapi::Map;
use cmpdel_uapi_raw::Errno;
use results::races::Refusal;

use crate::clock::monotonic;
use crate::layout::Fate;
use crate::load::Denied;
use crate::value::lifetime_of;

/// An expired entry of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Expired<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// Its value when it was copied out.
    pub value: &'a [u8],
}

/// Told of the fate of each entry that a round was to remove.
pub trait Claims {
    /// The collector says that this came of the entry at `key`. It was expired at `lifetime`, as far as it knew.
    /// By `done`, in ns, it was.
    fn claim(&mut self, key: &[u8], lifetime: u32, fate: Fate, done: u64);
    /// A map operation failed otherwise.
    fn error(&mut self, errno: Errno);
    /// So many entries went of which nothing is known by key: with a map that nobody uses any more, where some of them were
    /// copied to the next map before, or by a walk that nobody listens to.
    fn dropped(&mut self, entries: u64);
    /// It wants to know when.
    fn wants_times(&self) -> bool {
        true
    }
}

/// Removes entries that a snapshot showed to have expired before `now`.
pub trait Remove: Send {
    /// Removes them, each if it must.
    ///
    /// # Errors
    /// What makes a run void. That an entry could not be removed is a claim.
    fn remove(&mut self, expired: &[Expired<'_>], now: u32, claims: &mut dyn Claims) -> Result<()>;
}

/// Finds and removes expired entries by itself.
pub trait Walk: Send {
    /// Does so once.
    ///
    /// # Errors
    /// What makes a run void.
    fn walk(&mut self, now: u32, claims: &mut dyn Claims) -> Result<()>;
}

/// What came of a delete.
pub fn tell(claims: &mut dyn Claims, entry: &Expired<'_>, answer: Result<(), Errno>) {
    match answer {
        Ok(()) => tell_fate(claims, entry, Fate::Removed),
        Err(Errno(libc::ENOENT)) => tell_fate(claims, entry, Fate::Absent),
        Err(errno) => {
            claims.error(errno);
            tell_fate(claims, entry, Fate::Error);
        }
    }
}

/// The entry is live, and stays.
pub fn tell_kept(claims: &mut dyn Claims, entry: &Expired<'_>) {
    tell_fate(claims, entry, Fate::Kept);
}

/// What came of an entry.
pub fn tell_fate(claims: &mut dyn Claims, entry: &Expired<'_>, fate: Fate) {
    tell_fates(claims, [(entry, fate)]);
}

/// What came of entries by one time.
pub fn tell_fates<'a>(claims: &mut dyn Claims, fates: impl IntoIterator<Item = (&'a Expired<'a>, Fate)>) {
    let done = if claims.wants_times() { monotonic() } else { 0 };
    for (entry, fate) in fates {
        claims.claim(entry.key, lifetime_of(entry.value), fate, done);
    }
}

/// An error of compare-and-delete: counted if the kernel said it of this entry.
///
/// # Errors
/// Any other, since it says something about the run.
pub fn tell_error(claims: &mut dyn Claims, entry: &Expired<'_>, error: &cmpdel_uapi::Error) -> Result<()> {
    match errno_of(error) {
        Some(errno) => {
            claims.error(errno);
            tell_fate(claims, entry, Fate::Error);
            Ok(())
        }
        None => bail!("compare-and-delete failed: {error}"),
    }
}

/// The map, if the kernel compares and deletes on it.
///
/// # Errors
/// [`Denied::Refused`] where it does not.
pub fn supported(fd: BorrowedFd<'_>) -> Result<Map<'_>, Denied> {
    let map = Map::new(fd).context("cannot use the map under test")?;
    map.check().map(|()| map).map_err(unsupported)
}

/// A refusal, where that is what the library says of kernel and map.
pub fn unsupported(error: cmpdel_uapi::Error) -> Denied {
    use cmpdel_uapi::Error::{UnsupportedBatch, UnsupportedKernel, UnsupportedMap};
    let (errno, call) = match error {
        UnsupportedKernel => ("EINVAL", "BPF_MAP_DELETE_ELEM"),
        UnsupportedBatch { .. } => ("EINVAL", "BPF_MAP_DELETE_BATCH"),
        UnsupportedMap { .. } => ("EOPNOTSUPP", "BPF_MAP_DELETE_ELEM"),
        other => return anyhow::Error::new(other).into(),
    };
    Denied::Refused(Refusal { errno: errno.into(), text: format!("{call} with BPF_F_COMPARE: {error}") })
}

/// Takes the answer to a call on an absent key: `-ENOENT` says that the kernel takes such calls.
///
/// # Errors
/// [`Denied::Refused`] with any other.
pub fn require(what: &str, answer: Result<(), Errno>) -> Result<(), Denied> {
    match answer {
        Ok(()) | Err(Errno(libc::ENOENT)) => Ok(()),
        Err(errno) => {
            Err(Denied::Refused(Refusal { errno: errno.to_string(), text: format!("{what}: -{errno}") }))
        }
    }
}

fn errno_of(error: &cmpdel_uapi::Error) -> Option<Errno> {
    match error {
        cmpdel_uapi::Error::Os { source, .. } => source.raw_os_error().map(Errno),
        _ => None,
    }
}

/// Counts what a round does, for those who need no more.
#[derive(Debug, Default)]
pub struct Counted {
    /// Entries removed.
    pub removed: u64,
    /// Entries that had expired when the collector looked, and were live again when it came to remove them.
    pub kept: u64,
    /// Errors by name.
    pub errors: BTreeMap<String, u64>,
}

impl Claims for Counted {
    fn claim(&mut self, _: &[u8], _: u32, fate: Fate, _: u64) {
        self.removed += u64::from(fate == Fate::Removed);
        self.kept += u64::from(fate == Fate::Kept);
    }

    fn error(&mut self, errno: Errno) {
        *self.errors.entry(errno.to_string()).or_default() += 1;
    }

    fn dropped(&mut self, entries: u64) {
        self.removed += entries;
    }

    fn wants_times(&self) -> bool {
        false
    }
}
