// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bucket of a BPF hash map in which flow A lives, step by step as `kernel/bpf/hashtab.c` has it.
//!
//! A new element is linked before the one that it replaces, so that `head` alone says which one a look-up of A finds. (A look-up that
//! stands between the two and finds neither is in `selftests-rs/model`: it needs no weak memory.) No grace period lies between
//! two owners of an element.

use loom::sync::Mutex;

use crate::bpf::Word;

/// A flow: its key, and its tag unless a test says otherwise.
pub(crate) type Flow = u64;
pub(crate) const A: Flow = 1;
pub(crate) const B: Flow = 2;

/// What stands beside the word: each flow has a state of its own.
pub(crate) const fn state_of(flow: Flow) -> u64 {
    100 + flow
}

/// A value of two words: `union keep_word`, and what a datapath keeps beside it.
#[derive(Clone, Copy)]
pub(crate) struct Value {
    pub(crate) word: u64,
    pub(crate) state: u64,
}

impl Value {
    /// word.h: `keep_new_word()`, beside the state of the flow.
    pub(crate) const fn new(flow: Flow, until: u32) -> Self {
        Self { word: word(until, flow), state: state_of(flow) }
    }
}

pub(crate) const fn word(until: u32, tag: u64) -> u64 {
    tag << 32 | until as u64
}

pub(crate) const fn until(word: u64) -> u64 {
    word & 0xffff_ffff
}

pub(crate) const fn tag(word: u64) -> u64 {
    word >> 32
}

/// The orders that the kernel brings along.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    /// Each store comes after the ones before it: x86, s390.
    pub(crate) in_order: bool,
    /// `rcu_assign_pointer()` releases.
    pub(crate) publishes: bool,
    /// What is loaded through a pointer is loaded after the pointer.
    pub(crate) depends: bool,
    /// What follows the taking of a bucket's lock comes after it. (loom moves no store up: without this, `evict()` does it.)
    pub(crate) lock_acquires: bool,
}

/// As it is on arm64.
pub(crate) const ARM64: Kernel =
    Kernel { in_order: false, publishes: true, depends: true, lock_acquires: true };
/// As it is on x86, as far as stores go.
pub(crate) const IN_ORDER: Kernel = Kernel { in_order: true, ..ARM64 };

/// In `head`: no element.
const NONE: u64 = u64::MAX;

struct Element {
    key: Word,
    word: Word,
    state: Word,
}

/// Flags of an update.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flags {
    Any,
    NoExist,
    Exist,
}

/// What an update or a delete that was refused would have needed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Exists,
    NotThere,
}

pub(crate) struct Map {
    kernel: Kernel,
    /// `struct bucket`: its lock acquires and releases, and no more. What it protects is known under it: which element is linked.
    bucket: Mutex<Option<usize>>,
    /// Where a look-up finds the same, without the lock.
    head: Word,
    elements: [Element; 3],
}

impl Map {
    /// Element 0 is A's, with this value; the others are free. `new` makes their words.
    pub(crate) fn new(kernel: Kernel, first: Value, new: fn(u64) -> Word) -> Self {
        let element =
            |key, value: Value| Element { key: new(key), word: new(value.word), state: new(value.state) };
        let free = || element(0, Value { word: 0, state: 0 });
        let elements = [element(A, first), free(), free()];
        Self { kernel, bucket: Mutex::new(Some(0)), head: Word::new(0), elements }
    }

    /// `bpf_map_lookup_elem()` of A: `lookup_nulls_elem_raw()`, without a lock.
    pub(crate) fn look_up(&self) -> Option<usize> {
        let at = usize::try_from(self.head.load(self.kernel.depends)).ok()?;
        let element = self.elements.get(at)?;
        (element.key.load(false) == A).then_some(at)
    }

    /// `memcpy()` of the key, `copy_map_value()`: into an element that has no lock and that readers may still look at.
    pub(crate) fn fill(&self, at: usize, key: Flow, value: Value) {
        let element = &self.elements[at];
        element.key.store(key, self.kernel.in_order);
        element.word.store(value.word, self.kernel.in_order);
        element.state.store(value.state, self.kernel.in_order);
    }

    /// `bpf_map_update_elem()` of A, which takes the element `new`: the one that it took the place of.
    ///
    /// Filled before the lock is taken, as LRU maps do; HASH does so under it.
    pub(crate) fn update(&self, new: usize, value: Value, flags: Flags) -> Result<Option<usize>, Refused> {
        self.fill(new, A, value);
        let mut linked = self.bucket.lock().unwrap();
        match (flags, *linked) {
            (Flags::NoExist, Some(_)) => return Err(Refused::Exists),
            (Flags::Exist, None) => return Err(Refused::NotThere),
            _ => {}
        }
        // hlist_nulls_add_head_rcu()
        self.head.store(new as u64, self.kernel.publishes);
        Ok(linked.replace(new))
    }

    /// `hlist_nulls_del_rcu()`: a `WRITE_ONCE()`.
    fn unlink(&self) {
        self.head.store(NONE, self.kernel.in_order);
    }

    /// `bpf_map_delete_elem()` of A: the element that is free now.
    pub(crate) fn delete(&self) -> Result<usize, Refused> {
        let mut linked = self.bucket.lock().unwrap();
        let old = linked.take().ok_or(Refused::NotThere)?;
        self.unlink();
        Ok(old)
    }

    /// An LRU map evicts this very element, if it is still linked, and gives it to B: `htab_lru_map_delete_node()`, then
    /// `prealloc_lru_pop()` and `copy_map_value()` of somebody's update.
    pub(crate) fn evict(&self, at: usize, value: Value) {
        if !self.kernel.lock_acquires {
            self.fill(at, B, value);
        }
        let mut linked = self.bucket.lock().unwrap();
        let there = *linked == Some(at);
        if there {
            self.unlink();
            *linked = None;
        }
        drop(linked);
        if there && self.kernel.lock_acquires {
            self.fill(at, B, value);
        }
    }

    /// `KEEP_LOAD(entry->word.whole)`.
    pub(crate) fn load_word(&self, at: usize) -> u64 {
        self.elements[at].word.load(false)
    }

    /// value.h: `keep_copy_words()`.
    pub(crate) fn copy(&self, at: usize) -> Value {
        let word = self.elements[at].word.load(false);
        Value { word, state: self.elements[at].state.load(false) }
    }
}
