// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking at a whole map, by system call.

use anyhow::{Result, bail};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Elements, Errno, Snapshot};

use crate::datapath::key_of;
use crate::layout::{TICK, VALUE_SIZE};
use crate::oracle::Left;
use crate::value::{backend_of, lifetime_of, value_of};

/// A batch after the other, to the end of the map.
///
/// # Errors
/// The kernel's.
pub fn walk(elements: &Elements<'_>, snapshot: &mut Snapshot) -> Result<(), Errno> {
    let mut position = None;
    loop {
        position = elements.look_up_batch(position.as_ref(), 4096, snapshot)?;
        if position.is_none() {
            return Ok(());
        }
    }
}

/// What the map has of a flow.
///
/// # Errors
/// The kernel's, but that there is none.
pub fn look(elements: &Elements<'_>, flow: u32) -> Result<Option<Left>> {
    let mut value = [0; VALUE_SIZE];
    match elements.look_up(&key_of(flow), &mut value, 0) {
        Ok(()) => Ok(Some(Left { lifetime: lifetime_of(&value), backend: backend_of(&value) })),
        Err(Errno(libc::ENOENT)) => Ok(None),
        Err(errno) => bail!("cannot look for the entry of flow {flow}: {errno}"),
    }
}

/// Entries that can still be made, by making them, the first of them for flow `first`: each element that was taken by a call that
/// failed is back, or is not.
///
/// # Errors
/// The kernel's, but that there is no more room.
pub fn room(elements: &Elements<'_>, first: u32, most: u32) -> Result<u64> {
    for made in 0..=most {
        let flow = first + made;
        match elements.update(&key_of(flow), &value_of(flow, TICK), abi::BPF_NOEXIST.into()) {
            Ok(()) => {}
            Err(Errno(libc::E2BIG)) => return Ok(made.into()),
            Err(errno) => bail!("cannot fill the map: {errno}"),
        }
    }
    Ok(u64::from(most) + 1)
}
