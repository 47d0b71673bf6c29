// SPDX-License-Identifier: MIT OR Apache-2.0
//! The types of map in the matrix.

use model::Recycling;
use serde::{Deserialize, Serialize};

use crate::Since;

/// A type of map, by its name in the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapKind {
    /// `BPF_MAP_TYPE_HASH`, preallocated.
    Hash,
    /// `BPF_MAP_TYPE_HASH` with `BPF_F_NO_PREALLOC`.
    HashNoPrealloc,
    /// `BPF_MAP_TYPE_LRU_HASH`.
    LruHash,
    /// `BPF_MAP_TYPE_RHASH`, the resizable hash of 7.3.
    Rhash,
    /// A table in a `BPF_MAP_TYPE_ARENA`.
    Arena,
}

impl MapKind {
    /// All of them, in the order of the matrix.
    pub const ALL: [Self; 5] = [Self::Hash, Self::HashNoPrealloc, Self::LruHash, Self::Rhash, Self::Arena];
    /// Those with keys, which the kernel looks after.
    pub const HASHES: [Self; 4] = [Self::Hash, Self::HashNoPrealloc, Self::LruHash, Self::Rhash];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::HashNoPrealloc => "hash-no-prealloc",
            Self::LruHash => "lru-hash",
            Self::Rhash => "rhash",
            Self::Arena => "arena",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|map| map.name() == name)
    }

    /// What becomes of its unlinked elements.
    #[must_use]
    pub const fn recycling(self) -> Recycling {
        match self {
            Self::Hash => Recycling::Parked,
            Self::HashNoPrealloc => Recycling::AtOnce,
            Self::LruHash => Recycling::Evicting,
            Self::Rhash => Recycling::AfterGrace,
            Self::Arena => Recycling::Slots,
        }
    }

    /// The kernel that has it.
    #[must_use]
    pub const fn since(self) -> Since {
        match self {
            Self::Hash | Self::HashNoPrealloc | Self::LruHash => (6, 1),
            Self::Arena => (6, 10),
            Self::Rhash => (7, 3),
        }
    }
}

impl std::fmt::Display for MapKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
