// SPDX-License-Identifier: MIT OR Apache-2.0
//! A proper call that compares, before anything is spoilt.

use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Form, Order, Place, WHOLE_ATTR};
use fastrand::Rng;

use super::memory::{ATTR, COMPARE, KEYS, Memory, STATUSES, VALUES};
use super::world::{Home, bytes};

pub const COMPARE_FLAG: u64 = abi::BPF_F_COMPARE as u64;

/// What a call is made of before it is laid out.
pub struct Draft {
    pub form: Form,
    pub elements: Vec<Element>,
    pub spoilt: Vec<&'static str>,
    pub value_size: u32,
}

pub struct Element {
    pub key: Vec<u8>,
    /// The whole value that was seen.
    pub seen: Vec<u8>,
    /// The whole value that is to be.
    pub new: Vec<u8>,
}

/// The most elements that are laid out.
const MOST: usize = 12;

pub fn proper(order: Order, rng: &mut Rng, home: &Home, memory: &Memory) -> Draft {
    let page = memory.page();
    let elements = if order.is_batch() { rng.usize(1..=MOST) } else { 1 };
    let most = home.value_size.min(64);
    let size = [1, 2, 4, 8, 16, 64, rng.u32(1..=most)][rng.usize(..7)].min(most);
    let last = home.value_size - size;
    let offset = match rng.u8(..4) {
        0 => 0,
        1 => last,
        2 => rng.u32(..=last) / size * size,
        _ => rng.u32(..=last),
    };
    let elements: Vec<_> =
        (0..elements).map(|_| element(rng, home, offset as usize, size as usize)).collect();
    let mut at = |number: u32, room: u32| {
        let start = rng.u32(..room);
        Place::At(number * page + if rng.bool() { start / 8 * 8 } else { start })
    };
    let form = Form {
        order,
        fd: home.fd(),
        keys: at(KEYS, 2 * page),
        values: if order == Order::DeleteBatch || order == Order::Delete {
            Place::Null
        } else {
            at(VALUES, page)
        },
        compare: at(COMPARE, page / 2),
        statuses: at(STATUSES, page),
        in_batch: Place::Null,
        out_batch: Place::Null,
        count: u32::try_from(elements.len()).unwrap_or(0),
        flags: COMPARE_FLAG,
        batch_flags: 0,
        offset,
        size,
        stride: 0,
        spoilt: None,
        attr: Place::At(ATTR * page + rng.u32(..page) / 8 * 8),
        attr_size: WHOLE_ATTR,
    };
    let stride = match rng.u8(..4) {
        0 => home.value_size.max(size),
        1 => size + rng.u32(..16),
        _ => size,
    };
    Draft { form: Form { stride, ..form }, elements, spoilt: Vec::new(), value_size: home.value_size }
}

fn element(rng: &mut Rng, home: &Home, offset: usize, size: usize) -> Element {
    let there: Vec<_> = home.entries.iter().collect();
    let (key, value) = there[rng.usize(..there.len())];
    let mut seen = value.clone();
    let mut key = key.clone();
    match rng.u8(..20) {
        // A byte of the window, by a bit.
        0..5 => seen[offset + rng.usize(..size)] ^= 1 << rng.u8(..8),
        // All that is outside.
        5..7 => {
            let outside = |at: usize| at < offset || at >= offset + size;
            seen.iter_mut().enumerate().filter(|(at, _)| outside(*at)).for_each(|(_, byte)| *byte = !*byte);
        }
        // Of another entry, which may have the same bytes there.
        7 => seen = there[rng.usize(..there.len())].1.clone(),
        8..11 => key = home.absent[rng.usize(..home.absent.len())].clone(),
        11 => key = bytes(rng, home.key_size),
        _ => {}
    }
    Element { key, seen, new: bytes(rng, home.value_size) }
}
