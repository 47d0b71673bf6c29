// SPDX-License-Identifier: MIT OR Apache-2.0
//! The accesses that BPF programs have, and the lock word that the headers make of them.
//!
//! | in C | here | on arm64 |
//! | --- | --- | --- |
//! | plain, `volatile`, `KEEP_LOAD()` | relaxed | `ldr`, `str` |
//! | `__sync_*` whose result is used, exchanges | [`Order::Full`] | `casal`, `swpal`; else `ldxr`, `stlxr`, `dmb ish` |
//! | load-acquire, store-release (6.15, `-mcpu=v4`) | [`Order::Half`] | `ldar`, `stlr` |
//!
//! The kernel promises a full barrier on both sides of a `__sync_*`. [`Order::Full`] is less, to be on the safe side: an
//! operation that acquires and releases, with the barrier behind it, and none where a compare-and-swap has failed. That is what
//! the JIT of arm64 emits for CPUs without LSE. The barrier is a fence of its own, since loom takes `SeqCst` on an access for
//! `AcqRel`, and since C11's is weaker than the kernel's.

use loom::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};

/// A turn at a place in memory, to be taken before an access to it.
///
/// loom compares an access with the last one to the same place alone, to see whether it has to try both orders. A thread that
/// loads before it stores so hides its store from who has loaded before. A swap that always fails orders nothing, and loom tries
/// swaps in every order.
struct Turn(AtomicU32);

impl Turn {
    fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn take(&self) {
        let failed = self.0.compare_exchange(1, 1, Relaxed, Relaxed);
        assert!(failed.is_err(), "nobody stores to it");
    }
}

/// A word in memory that is loaded and stored, without order unless it is asked for.
pub(crate) struct Word {
    value: AtomicU64,
    turn: Option<Turn>,
}

impl Word {
    pub(crate) fn new(value: u64) -> Self {
        Self { value: AtomicU64::new(value), turn: Some(Turn::new()) }
    }

    /// For a place that no thread both loads from and stores to. Spares loom much.
    pub(crate) fn without_turn(value: u64) -> Self {
        Self { value: AtomicU64::new(value), turn: None }
    }

    /// Acquires, or does not.
    pub(crate) fn load(&self, acquires: bool) -> u64 {
        self.turn.iter().for_each(Turn::take);
        self.value.load(if acquires { Acquire } else { Relaxed })
    }

    /// Releases, or does not.
    pub(crate) fn store(&self, value: u64, releases: bool) {
        self.turn.iter().for_each(Turn::take);
        self.value.store(value, if releases { Release } else { Relaxed });
    }
}

/// How much order an access brings along.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A full barrier.
    Full,
    /// Acquire or release, as the access is a load or a store.
    Half,
    /// None: a control.
    None,
}

/// base.h: `keep_fence()`, an exchange of a word on the stack. Nobody else sees the word, so its barrier is all there is of it.
pub(crate) fn keep_fence() {
    fence(SeqCst);
}

/// stripes.h: the lock word of a stripe. The table is set up before any program runs, so magic, seed and the like are constants.
pub(crate) struct Stripe {
    held: AtomicU32,
    turn: Turn,
    take: Order,
    drop: Order,
}

/// `KEEP_SPINS`. One look or a thousand: what it does not see it does not act on.
const SPINS: u32 = 2;

impl Stripe {
    /// As the headers have it.
    pub(crate) fn new() -> Self {
        Self::with(Order::Full, Order::Full)
    }

    /// With these orders.
    pub(crate) fn with(take: Order, drop: Order) -> Self {
        Self { held: AtomicU32::new(0), turn: Turn::new(), take, drop }
    }

    /// `keep_take()`: is the stripe held?
    pub(crate) fn take(&self) -> bool {
        // if (keep_try(stripe)) return stripe;
        if self.swaps() {
            return true;
        }
        // bpf_loop(KEEP_SPINS, keep_spin, &want, 0);
        (0..SPINS).any(|_| {
            self.turn.take();
            // if (KEEP_LOAD(stripe->held)) return 0; want->taken = keep_try(stripe);
            self.held.load(Relaxed) == 0 && self.swaps()
        })
    }

    /// `keep_try()`: `!__sync_val_compare_and_swap(&stripe->held, 0, 1)`.
    fn swaps(&self) -> bool {
        let success = match self.take {
            Order::Full => AcqRel,
            Order::Half => Acquire,
            Order::None => Relaxed,
        };
        self.turn.take();
        let swapped = self.held.compare_exchange(0, 1, success, Relaxed).is_ok();
        if swapped && self.take == Order::Full {
            fence(SeqCst);
        }
        swapped
    }

    /// `keep_drop()`.
    pub(crate) fn drop(&self) {
        self.turn.take();
        match self.drop {
            // __sync_lock_test_and_set(&stripe->held, 0);
            Order::Full => {
                self.held.swap(0, AcqRel);
                fence(SeqCst);
            }
            Order::Half => self.held.store(0, Release),
            Order::None => self.held.store(0, Relaxed),
        }
    }
}

/// `bpf_spin_lock()` in a value: acquires and releases.
pub(crate) struct SpinLock(Stripe);

impl SpinLock {
    pub(crate) fn with(take: Order, drop: Order) -> Self {
        Self(Stripe::with(take, drop))
    }

    pub(crate) fn lock(&self) {
        while !self.0.swaps() {
            loom::thread::yield_now();
        }
    }

    pub(crate) fn unlock(&self) {
        self.0.drop();
    }
}
