// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is compared, and how a compare-and-delete or a compare-and-update ends.

/// The most bytes that a kernel compares. A longer window is [`crate::Error::WindowTooLong`].
pub const MAX_WINDOW: u32 = 64;

/// The compared region of a value, `[offset, offset + expected.len())`, and the bytes the caller last saw there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// First compared byte of the value.
    pub offset: u32,
    /// The expected bytes; one at least, [`MAX_WINDOW`] at most.
    pub expected: &'a [u8],
}

impl<'a> Window<'a> {
    /// A window that begins with the value: all of it, where `expected` is as long as the value.
    #[must_use]
    pub const fn whole(expected: &'a [u8]) -> Self {
        Self { offset: 0, expected }
    }

    /// A window that begins at `offset` bytes into the value.
    #[must_use]
    pub const fn at(offset: u32, expected: &'a [u8]) -> Self {
        Self { offset, expected }
    }
}

/// How a compare-and-delete ended. An entry is gone through this call with [`Outcome::Deleted`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "only `Deleted` says that the entry is gone"]
pub enum Outcome {
    /// The window was equal and the entry is unlinked.
    Deleted,
    /// The window differed and the entry was kept.
    Mismatch,
    /// There is no entry with this key.
    Absent,
}

/// How a compare-and-update ended. The new value is in the map through this call with [`Updated::Replaced`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "only `Replaced` says that the entry has the new value"]
pub enum Updated {
    /// The window was equal and the entry has the new value.
    Replaced,
    /// The window differed and the entry was left as it is.
    Mismatch,
    /// There is no entry with this key, and none was made. A full LRU map may have evicted it for the new value.
    Absent,
}

/// What the kernel said of one entry, whatever it was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    Differs,
    Absent,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Done => Self::Deleted,
            Verdict::Differs => Self::Mismatch,
            Verdict::Absent => Self::Absent,
        }
    }
}

impl From<Verdict> for Updated {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Done => Self::Replaced,
            Verdict::Differs => Self::Mismatch,
            Verdict::Absent => Self::Absent,
        }
    }
}
