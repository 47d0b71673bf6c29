// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which states have been seen: 64 bits of each. Two states of a cell with the same ones are less likely than one in a million.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::state::State;

/// See the module.
#[derive(Default)]
pub(crate) struct Fingerprints(HashSet<u64, BuildHasherDefault<AsItIs>>);

impl Fingerprints {
    /// False if it was there already.
    pub fn insert(&mut self, state: &State) -> bool {
        let mut mix = Mix(SEED);
        state.hash(&mut mix);
        self.0.insert(mix.finish())
    }
}

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Folds each word in by a multiplication of 64 × 64 bits.
struct Mix(u64);

impl Mix {
    fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        let bytes = product.to_le_bytes();
        let half = |at: usize| {
            let mut half = [0; 8];
            half.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(half)
        };
        self.0 = (half(0) ^ half(8)).wrapping_add(SEED);
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        let mut last = Self(self.0);
        last.word(FACTOR);
        last.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.word(u64::from(byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.word(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.word(word as u64);
    }
}

/// What it hashes is a hash.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
