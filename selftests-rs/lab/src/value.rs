// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys and values as bytes: what a flow's are, and what is read of them.

use std::mem::offset_of;

use crate::contract::ct_value;
use crate::layout::{DEAD_MARK, LIFETIME, SEED, VALUE_SIZE};

/// The first flow that no packet belongs to: what fills a map from outside begins here.
pub const FIRST_STRANGER: u32 = 1 << 20;

/// The lifetime of whatever fills a map from outside.
pub const NEVER: u32 = u32::MAX;

/// The key of a flow, as the datapath makes it of a packet in a burst.
pub fn key_of(flow: u32) -> [u8; 14] {
    let mut key = [0; 14];
    key[..4].copy_from_slice(&[10, 0, 0, 1]);
    key[4..8].copy_from_slice(&[10, 0, 0, 2]);
    let [a, b, c, _] = flow.to_le_bytes();
    key[8..10].copy_from_slice(&[a, b]);
    key[10..12].copy_from_slice(&80_u16.to_be_bytes());
    key[12] = 6;
    key[13] = c;
    key
}

/// Which flow a key is of.
pub fn flow_of(key: &[u8]) -> u32 {
    match key {
        [_, _, _, _, _, _, _, _, a, b, _, _, _, c] => u32::from_le_bytes([*a, *b, *c, 0]),
        _ => u32::MAX,
    }
}

/// The backend that a flow's first packet chooses.
pub fn backend_for(flow: u32) -> u32 {
    flow.wrapping_add(1)
}

/// A flow's value with that lifetime, as its first packet makes it: for whoever puts entries into a map from outside.
pub fn value_of(flow: u32, lifetime: u32) -> [u8; VALUE_SIZE] {
    let mut value = [0; VALUE_SIZE];
    let mut put = |at: usize, bytes: &[u8]| value[at..at + bytes.len()].copy_from_slice(bytes);
    put(offset_of!(ct_value, packets), &1_u64.to_ne_bytes());
    put(offset_of!(ct_value, backend), &backend_for(flow).to_ne_bytes());
    let [low, high, ..] = (flow ^ 0x8000).to_le_bytes();
    put(offset_of!(ct_value, nat_port), &[high, low]);
    put(LIFETIME as usize, &lifetime.to_ne_bytes());
    put(LIFETIME as usize + 4, &tag_for(&key_of(flow)).to_ne_bytes());
    value
}

/// The tag of a tuple, as `keep_tag()` makes it.
pub fn tag_for(key: &[u8]) -> u32 {
    let hash = hash_of(key, SEED) >> 33;
    u32::try_from(hash).unwrap_or_default()
}

/// The lifetime in a value.
pub fn lifetime_of(value: &[u8]) -> u32 {
    word_at(value, LIFETIME as usize)
}

/// The tag in a value, without the mark.
pub fn tag_of(value: &[u8]) -> u32 {
    word_at(value, LIFETIME as usize + 4) & !DEAD_MARK
}

/// The backend in a value.
pub fn backend_of(value: &[u8]) -> u32 {
    word_at(value, offset_of!(ct_value, backend))
}

/// The CPU that opened the flow.
pub fn cpu_of(value: &[u8]) -> u32 {
    word_at(value, offset_of!(ct_value, cpu))
}

fn word_at(value: &[u8], start: usize) -> u32 {
    let bytes = value.get(start..start + 4).and_then(|bytes| bytes.try_into().ok());
    u32::from_ne_bytes(bytes.unwrap_or_default())
}

/// As `keep_hash()`.
fn hash_of(key: &[u8], seed: u64) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let word = |bytes: &[u8]| {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        u64::from_ne_bytes(whole)
    };
    let words = key.chunks(8).map(word).enumerate();
    let hash =
        words.fold(seed, |hash, (i, word)| if i == 0 { hash } else { hash.wrapping_mul(MULTIPLIER) } ^ word);
    (hash ^ hash >> 32).wrapping_mul(MULTIPLIER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_flows() {
        for flow in [0, 1, 4095, 65_535, 65_536, 0xff_ffff] {
            assert_eq!(flow_of(&key_of(flow)), flow);
        }
    }

    #[test]
    fn a_value_says_what_was_put_into_it() {
        let value = value_of(4097, 9);
        assert_eq!((lifetime_of(&value), backend_of(&value)), (9, 4098));
        assert_eq!(tag_of(&value), tag_for(&key_of(4097)));
        assert_ne!(tag_of(&value), tag_of(&value_of(4098, 9)));
    }

    #[test]
    fn no_two_flows_of_a_run_have_one_tag() {
        let tags: std::collections::HashSet<_> = (0..8192).map(|flow| tag_for(&key_of(flow))).collect();
        assert_eq!(tags.len(), 8192);
    }
}
