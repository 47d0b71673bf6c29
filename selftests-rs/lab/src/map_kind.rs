// SPDX-License-Identifier: MIT OR Apache-2.0
//! The types of map of the matrix, as the kernel knows them.

use anyhow::{Result, bail};
use approaches::MapKind;
use cmpdel_uapi::bindings as abi;
use libbpf_rs::{MapType, OpenMapMut};

/// What the kernel calls a type of map.
pub trait Prepare: Sized {
    /// `enum bpf_map_type`, and flags.
    ///
    /// # Errors
    /// For a type that has no keys.
    fn abi(self) -> Result<(u32, u32)>;

    /// Has a map of an object be of this type.
    ///
    /// # Errors
    /// libbpf's.
    fn prepare(self, map: &mut OpenMapMut<'_>, entries: u32) -> Result<()>;
}

impl Prepare for MapKind {
    fn abi(self) -> Result<(u32, u32)> {
        Ok(match self {
            Self::Hash => (abi::BPF_MAP_TYPE_HASH, 0),
            Self::HashNoPrealloc => (abi::BPF_MAP_TYPE_HASH, abi::BPF_F_NO_PREALLOC),
            Self::LruHash => (abi::BPF_MAP_TYPE_LRU_HASH, 0),
            Self::Rhash => (abi::BPF_MAP_TYPE_RHASH, abi::BPF_F_NO_PREALLOC),
            Self::Arena => bail!("an arena is no map of entries"),
        })
    }

    fn prepare(self, map: &mut OpenMapMut<'_>, entries: u32) -> Result<()> {
        let (map_type, flags) = self.abi()?;
        // What libbpf's Rust has no name for is in the object: see `RHASH_DATAPATHS`.
        if self != Self::Rhash {
            map.set_type(MapType::from(map_type))?;
        }
        map.set_map_flags(flags)?;
        map.set_max_entries(entries)?;
        Ok(())
    }
}
