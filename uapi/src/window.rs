// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is compared, and how a compare-and-delete ends.

/// The compared region of a value, `[offset, offset + expected.len())`, and the bytes the caller last saw there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// First compared byte of the value.
    pub offset: u32,
    /// The expected bytes; one at least.
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
