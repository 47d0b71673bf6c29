// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table as user space sees it, and the collector: it compares and swaps in the memory that it shares with the
//! datapath, and calls nobody.

// What is declared to be `Plain` is shared with a BPF program.
#![allow(unsafe_code)]

use std::sync::atomic::{
    AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

use super::word::{State, Word};
use crate::claims::Claims;
use crate::layout::Fate;
use crate::shared::Plain;

/// Buckets of the table.
pub const BUCKETS: usize = 1 << 11;
/// Slots of a bucket.
pub const SLOTS: usize = 8;
/// Bytes of a key; the rest of its words is zero.
const KEY: usize = 14;

/// Room for an entry.
#[repr(C)]
pub struct Slot {
    word: AtomicU64,
    key: [AtomicU64; 2],
    packets: AtomicU64,
    bytes: AtomicU64,
    pad: [AtomicU64; 3],
}

/// Slots that share a creator's lock.
#[repr(C)]
pub struct Bucket {
    creating: AtomicU32,
    pad: [AtomicU32; 15],
    slots: [Slot; SLOTS],
}

/// All buckets.
#[repr(C)]
pub struct Table(pub [Bucket; BUCKETS]);

// SAFETY: atomics alone, laid out as `struct bucket`, of which there are as many as in `bpf/arena.h`.
unsafe impl Plain for Table {}

const _: () = {
    assert!(size_of::<Slot>() == 64 && size_of::<Bucket>() == 64 + 64 * SLOTS);
};

impl Slot {
    fn read(&self) -> Word {
        Word(self.word.load(Acquire))
    }

    /// What the key is, if the word read before is still that of the slot.
    fn key(&self) -> [u8; KEY] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.key[0].load(Relaxed).to_ne_bytes());
        bytes[8..].copy_from_slice(&self.key[1].load(Relaxed).to_ne_bytes());
        let mut key = [0; KEY];
        key.copy_from_slice(&bytes[..KEY]);
        key
    }

    /// Takes the entry of `word` out, unless it was refreshed, or removed, since the word was read.
    fn remove(&self, word: Word) -> bool {
        self.word.compare_exchange(word.0, word.removed().0, AcqRel, Relaxed).is_ok()
    }
}

/// One round of collection: what had expired before `now` goes.
pub fn collect(buckets: &[Bucket], now: u32, claims: &mut dyn Claims) {
    for slot in buckets.iter().flat_map(|bucket| &bucket.slots) {
        let word = slot.read();
        if !word.is_expired(now) {
            continue;
        }
        // Before the swap: afterwards the slot may be another's. It is this entry's key if the swap succeeds.
        let key = slot.key();
        let fate = if slot.remove(word) { Fate::Removed } else { Fate::Kept };
        claims.claim(&key, word.lifetime(), fate, 0);
    }
}

/// Fills the first slots, each with a lifetime, while nobody else is there. Without keys: a collector reads whatever is there.
pub fn fill(buckets: &[Bucket], lifetimes: impl Iterator<Item = u32>) {
    for (slot, lifetime) in buckets.iter().flat_map(|bucket| &bucket.slots).zip(lifetimes) {
        slot.word.store(slot.read().claimed().live(lifetime).0, Release);
    }
}

/// Keys and lifetimes of all entries, while nobody writes.
pub fn entries(buckets: &[Bucket]) -> impl Iterator<Item = ([u8; KEY], u32)> {
    let slots = buckets.iter().flat_map(|bucket| &bucket.slots);
    slots.filter_map(|slot| {
        let word = slot.read();
        (word.state() == State::Live).then(|| (slot.key(), word.lifetime()))
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use cmpdel_uapi_raw::Errno;

    use super::*;
    use crate::datapath::{flow_of, key_of};
    use crate::layout::LANES;
    use crate::stress::FLOWS;

    /// As `bucket_of` in `bpf/arena.bpf.c`.
    fn bucket_of(key: [u8; KEY]) -> usize {
        let mut words = [[0; 8]; 2];
        words.as_flattened_mut()[..KEY].copy_from_slice(&key);
        let [low, high] = words.map(u64::from_le_bytes);
        let hash = low ^ high.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        usize::try_from(hash >> (64 - BUCKETS.ilog2())).unwrap()
    }

    #[test]
    fn the_flows_of_all_lanes_fit_and_share_buckets() {
        let mut flows = vec![0; BUCKETS];
        let all = FLOWS * u32::try_from(LANES).unwrap();
        (0..all).for_each(|flow| flows[bucket_of(key_of(flow))] += 1);
        assert!(flows.iter().all(|&flows| flows <= SLOTS));
        assert!(flows.iter().any(|&flows| flows > 1));
    }

    fn empty() -> Bucket {
        let slot = |_| Slot {
            word: AtomicU64::new(0),
            key: Default::default(),
            packets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            pad: Default::default(),
        };
        Bucket { creating: AtomicU32::new(0), pad: Default::default(), slots: std::array::from_fn(slot) }
    }

    fn put(slot: &Slot, flow: u32, lifetime: u32) {
        let mut bytes = [0; 16];
        bytes[..KEY].copy_from_slice(&key_of(flow));
        let word = slot.read().claimed();
        slot.word.store(word.0, Relaxed);
        for (word, bytes) in slot.key.iter().zip(bytes.chunks_exact(8)) {
            word.store(u64::from_ne_bytes(bytes.try_into().unwrap()), Relaxed);
        }
        slot.word.store(word.live(lifetime).0, Release);
    }

    #[derive(Default)]
    struct Told(Vec<(u32, u32, Fate)>);

    impl Claims for Told {
        fn claim(&mut self, key: &[u8], lifetime: u32, fate: Fate, _: u64) {
            self.0.push((flow_of(key), lifetime, fate));
        }

        fn error(&mut self, errno: Errno) {
            panic!("no system call can fail: {errno}");
        }

        fn dropped(&mut self, _: u64) {}
    }

    #[test]
    fn a_round_takes_what_has_expired() {
        let buckets = [empty(), empty()];
        put(&buckets[0].slots[3], 7, 10);
        put(&buckets[1].slots[0], 8, 11);
        let mut told = Told::default();
        collect(&buckets, 11, &mut told);
        assert_eq!(told.0, [(7, 10, Fate::Removed)]);
        let left: Vec<_> = entries(&buckets).collect();
        assert_eq!(left, [(key_of(8), 11)]);
    }

    #[test]
    fn a_refresh_or_a_new_owner_saves_a_slot_from_an_old_word() {
        let bucket = empty();
        let slot = &bucket.slots[0];
        put(slot, 7, 10);
        let old = slot.read();
        slot.word.store(old.live(20).0, Relaxed);
        assert!(!slot.remove(old));
        let refreshed = slot.read();
        assert!(slot.remove(refreshed));
        // The same lifetime once more, of another flow.
        put(slot, 8, 20);
        assert!(!slot.remove(refreshed));
        assert_eq!(slot.read().lifetime(), 20);
    }

    #[test]
    fn of_many_collectors_one_removes_an_entry() {
        let buckets = [empty()];
        for round in 0..200 {
            buckets[0].slots.iter().zip(0..).for_each(|(slot, flow)| put(slot, flow, round));
            let removed: usize = thread::scope(|scope| {
                let collectors: Vec<_> = (0..3)
                    .map(|_| {
                        scope.spawn(|| {
                            let mut told = Told::default();
                            collect(&buckets, round + 1, &mut told);
                            told.0.iter().filter(|(.., fate)| *fate == Fate::Removed).count()
                        })
                    })
                    .collect();
                collectors.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(removed, SLOTS);
        }
    }
}
