// SPDX-License-Identifier: MIT OR Apache-2.0
//! The map that single operations are measured on: 16-byte keys, 56-byte values, 1,024 entries in 16,384 slots.

use std::os::fd::{BorrowedFd, OwnedFd};

use anyhow::{Context as _, Result};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Create, Elements, Errno, map_create};

use super::Not;
use crate::datapath::{MapKind, Prepare as _};
use crate::layout::{LIFETIME, VALUE_SIZE};

/// Bytes in a key.
pub const KEY_SIZE: usize = 16;
/// As the kernel takes sizes.
const KEY_BYTES: u32 = 16;
const VALUE_BYTES: u32 = 56;
const _: () = assert!(KEY_BYTES as usize == KEY_SIZE && VALUE_BYTES as usize == VALUE_SIZE);
/// Entries in the map.
pub const LIVE: u64 = 1024;
const SLOTS: u32 = 16_384;
/// The lifetime that all values hold; another one is one more.
pub const SEEN: u32 = 0x5eed_0001;

/// Entries of a map in which what is measured happens.
pub struct Stage<'a> {
    /// The elements of the map.
    pub elements: Elements<'a>,
    /// The value of each entry.
    pub value: Vec<u8>,
}

/// The key of entry `i`; from [`LIVE`] on there is none.
pub fn key(i: u64) -> [u8; KEY_SIZE] {
    let mut key = [0x0a; KEY_SIZE];
    key[..8].copy_from_slice(&i.to_ne_bytes());
    key
}

/// Makes a map for windows of so many bytes. Its hash has no seed, so that its buckets are the same each time; one that grows
/// refuses that.
///
/// # Errors
/// The kernel's; [`Not::Here`] where it has no maps of that type.
pub fn map(kind: MapKind, window: Option<u32>) -> Result<OwnedFd, Not> {
    let (map_type, flags) = kind.abi()?;
    let resizable = kind == MapKind::Rhash;
    let seedless = if resizable { 0 } else { abi::BPF_F_ZERO_SEED };
    let create = Create {
        map_type,
        key_size: KEY_BYTES,
        value_size: VALUE_BYTES.max(window.unwrap_or(0)),
        max_entries: SLOTS,
        flags: flags | seedless,
        name: "bench",
        ..Create::default()
    };
    match map_create(&create) {
        Err(Errno(libc::EINVAL)) if resizable => Err(Not::Here(format!("this kernel has no map `{kind}`"))),
        made => Ok(made.context("cannot make the map of the bench")?),
    }
}

impl<'a> Stage<'a> {
    /// Fills `map`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn on(map: BorrowedFd<'a>) -> Result<Self, Not> {
        let elements = Elements::new(map)?;
        let mut value: Vec<u8> = (0..elements.value_size()).map(|i| i.to_le_bytes()[0]).collect();
        set_lifetime(&mut value, SEEN);
        let stage = Self { elements, value };
        for i in 0..LIVE {
            stage.put(i)?;
        }
        Ok(stage)
    }

    /// Puts entry `i` there, as all are.
    ///
    /// # Errors
    /// The kernel's.
    pub fn put(&self, i: u64) -> Result<(), Not> {
        self.elements.update(&key(i), &self.value, abi::BPF_ANY.into())?;
        Ok(())
    }

    /// What is at entry `i`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn at(&self, i: u64) -> Result<Option<Vec<u8>>, Not> {
        let mut value = vec![0; self.value.len()];
        match self.elements.look_up(&key(i), &mut value, 0) {
            Ok(()) => Ok(Some(value)),
            Err(Errno(libc::ENOENT)) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Entry `i` has to be gone.
    ///
    /// # Errors
    /// [`Not::Broken`] if it is not.
    pub fn must_be_gone(&self, i: u64) -> Result<(), Not> {
        match self.at(i)? {
            None => Ok(()),
            Some(_) => Err(Not::Broken(format!("entry {i} is still there"))),
        }
    }

    /// Entry `i` has to be as it was put.
    ///
    /// # Errors
    /// [`Not::Broken`] if it is not.
    pub fn must_be_kept(&self, i: u64) -> Result<(), Not> {
        match self.at(i)? {
            Some(value) if value == self.value => Ok(()),
            Some(_) => Err(Not::Broken(format!("entry {i} has another value"))),
            None => Err(Not::Broken(format!("entry {i} is gone"))),
        }
    }
}

/// Writes a lifetime to where it is in a value.
pub fn set_lifetime(value: &mut [u8], lifetime: u32) {
    let at = LIFETIME as usize;
    value[at..at + 4].copy_from_slice(&lifetime.to_ne_bytes());
}

/// The kernel has to give this answer, 0 or an errno.
///
/// # Errors
/// [`Not::Broken`] if it gives another.
pub fn must_say<T>(answer: Result<T, Errno>, wanted: i32) -> Result<(), Not> {
    let said = answer.err().map_or(0, |errno| errno.0);
    if said == wanted {
        return Ok(());
    }
    let name = |errno: i32| if errno == 0 { "success".to_owned() } else { Errno(errno).to_string() };
    Err(Not::Broken(format!("the kernel says {} where it must say {}", name(said), name(wanted))))
}
