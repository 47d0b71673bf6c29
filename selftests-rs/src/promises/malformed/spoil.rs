// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with a field.

use cmpdel_uapi_raw::{Form, Place, WHOLE_ATTR};
use fastrand::Rng;

use super::draft::{COMPARE_FLAG, Draft};
use super::memory::{CLOSED, COMPARE, KEYS, Memory, RACING, READ_ONLY, STATUSES, VALUES};
use super::world::{World, bytes};

/// Spoils one field, and says which. What has no meaning for the command is another try.
pub fn spoil(draft: &mut Draft, rng: &mut Rng, world: &World, memory: &Memory) -> &'static str {
    let form = &mut draft.form;
    let batch = form.order.is_batch();
    let count = u32::try_from(draft.elements.len()).unwrap_or(1);
    let key_size = draft.elements.first().map_or(1, |element| element.key.len());
    let key_size = u32::try_from(key_size).unwrap_or(1);
    match rng.u8(..if batch { 20 } else { 14 }) {
        0 | 1 => {
            form.fd = world.fds[rng.usize(..world.fds.len())];
            if let Some((key, value_size)) = world.other_key(form.fd) {
                draft.value_size = value_size;
                for element in &mut draft.elements {
                    element.key = key.to_vec();
                    element.new = bytes(rng, value_size.min(1024));
                }
            }
            "fd"
        }
        2 => {
            form.keys = place(form, form.keys, key_size.saturating_mul(count), rng, memory);
            "keys"
        }
        3 => {
            form.values = place(form, form.values, draft.value_size.saturating_mul(count), rng, memory);
            "values"
        }
        4 | 5 => {
            let len = form.stride.saturating_mul(count - 1).saturating_add(form.size);
            form.compare = place(form, form.compare, len, rng, memory);
            "expected bytes"
        }
        6 => {
            form.flags = flags(rng);
            "flags"
        }
        7 => {
            form.offset = number(rng, draft.value_size);
            "offset"
        }
        8 => {
            form.size = number(rng, draft.value_size.min(64));
            "size"
        }
        9 => {
            form.attr_size = attr_size(rng, form, memory.page());
            "size of the attribute"
        }
        10 => {
            form.attr = place(form, form.attr, WHOLE_ATTR, rng, memory);
            "place of the attribute"
        }
        11 => {
            let (at, byte) = (behind(rng, form, memory.page()), rng.u8(1..));
            form.spoilt = Some((at, byte));
            // So that the kernel is told of it, most of the time.
            if rng.u8(..8) > 0 {
                form.attr_size = form.attr_size.max(at + 1 + rng.u32(..8));
            }
            "a byte where no field is"
        }
        12 => {
            // A flag that is lost, and all that belongs to it or a part of that.
            form.flags = 0;
            for field in [&mut form.offset, &mut form.size, &mut form.stride] {
                *field = if rng.u8(..4) > 0 { 0 } else { *field };
            }
            for field in [&mut form.compare, &mut form.statuses] {
                *field = if rng.u8(..4) > 0 { Place::Null } else { *field };
            }
            "no flag"
        }
        13 => {
            let which = rng.usize(..draft.elements.len());
            draft.elements[which].key = bytes(rng, key_size);
            "a key"
        }
        14 | 15 => {
            form.statuses = place(form, form.statuses, 4 * count, rng, memory);
            "statuses"
        }
        16 => {
            form.count = match rng.u8(..6) {
                0 => 0,
                1 => count - 1,
                2 => count + 1,
                3 => count + rng.u32(..64),
                4 => u32::MAX - rng.u32(..4),
                _ => rng.u32(..),
            };
            "count"
        }
        17 => {
            form.stride = match rng.u8(..5) {
                0 => form.size.wrapping_sub(1),
                1 => 0,
                2 => number(rng, form.size),
                // Far, but in memory for two elements or three.
                _ => {
                    form.compare = Place::At(VALUES * memory.page() + rng.u32(..memory.page()));
                    rng.u32(4096..=65_600)
                }
            };
            "stride"
        }
        18 => {
            let odd = place(form, Place::Null, 8, rng, memory);
            if rng.bool() {
                form.in_batch = odd;
            } else {
                form.out_batch = odd;
            }
            "in_batch or out_batch"
        }
        _ => {
            form.batch_flags = flags(rng);
            "flags of the batch"
        }
    }
}

fn flags(rng: &mut Rng) -> u64 {
    let bit = 1_u64 << rng.u8(..64);
    match rng.u8(..8) {
        0 => 0,
        1 => bit,
        2..5 => COMPARE_FLAG | bit,
        5 => COMPARE_FLAG | bit | 1 << rng.u8(..64),
        6 => COMPARE_FLAG << 32 | rng.u64(..8),
        _ => rng.u64(..),
    }
}

/// A number near a limit, or any.
fn number(rng: &mut Rng, limit: u32) -> u32 {
    match rng.u8(..9) {
        0 => 0,
        1 => limit,
        2 => limit.wrapping_sub(1),
        3 => limit.wrapping_add(1),
        4 => u32::MAX - rng.u32(..80),
        5 => [1, 2, 4, 8, 16, 63, 64, 65, 128, 4096, 1 << 16, 1 << 31][rng.usize(..12)],
        6 => rng.u32(..=limit.saturating_mul(2)),
        7 => u32::MAX - limit + rng.u32(..4).min(limit),
        _ => rng.u32(..),
    }
}

fn attr_size(rng: &mut Rng, form: &Form, page: u32) -> u32 {
    match rng.u8(..8) {
        0 => form.end(),
        1 => form.end() - rng.u32(1..=20),
        2 => rng.u32(..=WHOLE_ATTR + 24),
        3 => [0, 1, 4, 8, 16, 24, 32, 36, 40, 48, 56, 64, 72, 76, 80][rng.usize(..15)],
        4 => page - rng.u32(..2),
        5 => page + 1 + rng.u32(..2),
        6 => u32::MAX - rng.u32(..4),
        _ => rng.u32(..=page),
    }
}

fn behind(rng: &mut Rng, form: &Form, page: u32) -> u32 {
    match rng.u8(..6) {
        0 if !form.order.is_batch() => rng.u32(4..8),
        0 | 1 => form.end(),
        2 | 3 => rng.u32(form.end()..WHOLE_ATTR),
        4 => rng.u32(WHOLE_ATTR..WHOLE_ATTR + 32),
        _ => rng.u32(form.end()..page),
    }
}

/// A place for `len` bytes: no memory, memory that ends or changes within them, or the memory of another field.
fn place(form: &Form, now: Place, len: u32, rng: &mut Rng, memory: &Memory) -> Place {
    let page = memory.page();
    let before = |number: u32, bytes: u32| Place::At((number * page).saturating_sub(bytes));
    let part = |rng: &mut Rng| rng.u32(..=len.min(2 * page));
    match rng.u8(..16) {
        0 => Place::Null,
        1 => Place::Kernel(rng.u32(..8192)),
        2 => Place::Top(rng.u32(..4096)),
        3 => Place::Between(rng.u32(..)),
        // To the last byte, and over it.
        4 | 5 => before([5, 13, 18][rng.usize(..3)], len),
        6 | 7 => before([5, 13, 18][rng.usize(..3)], part(rng)),
        8 => Place::At(CLOSED[rng.usize(..CLOSED.len())] * page + rng.u32(..page)),
        9 => Place::At(READ_ONLY[rng.usize(..2)] * page + rng.u32(..page)),
        10 => before(READ_ONLY[rng.usize(..2)], part(rng)),
        11 if rng.bool() => Place::At(RACING * page + rng.u32(..page)),
        11 if rng.bool() => before(RACING, part(rng)),
        11 => before(RACING + 1, part(rng)),
        12 => Place::At(rng.u32(..memory.len())),
        // On, or near, another field's, the attribute's among them.
        13..15 => {
            let others = [form.keys, form.values, form.compare, form.statuses, form.attr, form.attr];
            let Place::At(at) = others[rng.usize(..6)] else { return now };
            let near = if rng.bool() { rng.u32(..96) / 4 * 4 } else { rng.u32(..96) };
            Place::At(if rng.bool() { at.saturating_add(near) } else { at.saturating_sub(near) })
        }
        _ => Place::At([KEYS, COMPARE, STATUSES, VALUES][rng.usize(..4)] * page + rng.u32(..page)),
    }
}
