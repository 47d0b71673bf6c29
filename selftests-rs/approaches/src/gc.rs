// SPDX-License-Identifier: MIT OR Apache-2.0
//! The gc strategies, one a file.

use std::fmt;

use model::dsl::{Op, Outcome, Step, Then};

use crate::catalogue::catalogue;
use crate::{Family, MapKind, Objection, Protocol, Since};

/// What gc does with an entry that has expired.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    /// Its name in the matrix, without `+grace`.
    pub name: &'static str,
    /// What it does, in half a sentence.
    pub about: &'static str,
    /// What the model explores.
    pub steps: &'static [Step],
    /// What runs in a kernel.
    pub runs: Runs,
    /// What it expects of an entry.
    pub protocol: Protocol,
    /// Whether it is tried after a grace period as well: it reads the clock, waits until all that could have read an earlier
    /// one has ended, and only then looks for what had expired by then.
    pub grace: bool,
    /// Where it stands in the matrix.
    pub family: Family,
    /// The objections that it answers.
    pub answers: &'static [Objection],
    /// The series whose kernels alone have what it takes; none for what is tried on every kernel.
    pub series: Option<&'static str>,
    /// It takes a kernel with some series.
    pub patched: bool,
    /// The oldest kernel that it runs on.
    pub since: Since,
    /// It counts on it that a packet, once begun, keeps its CPU to its end: not so with `PREEMPT_RT`.
    pub whole_packets: bool,
    /// What whoever uses it does without.
    pub gives_up: &'static [&'static str],
    /// What it must never be combined with, as a sentence.
    pub never_with: &'static str,
}

impl Strategy {
    /// What most have in common.
    const PLAIN: Self = Self {
        name: "",
        about: "",
        steps: &[],
        runs: Runs::UserSpace,
        protocol: Protocol::Plain,
        grace: false,
        family: Family::Today,
        answers: &[],
        series: None,
        patched: false,
        since: (6, 1),
        whole_packets: false,
        gives_up: &[],
        never_with: "",
    };
}

/// What of a strategy runs in a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// System calls, on a snapshot: `lab/src/gc/NAME.rs`.
    UserSpace,
    /// The program `lab/src/bpf/gc/OBJECT.bpf.c` in one of its forms.
    Program(&'static str, Form),
    /// The same, called on the CPU that opened the flow.
    OnFlowCpu(&'static str),
    /// The entries' own timers, which the datapath sets.
    Timer {
        /// Each fires on the CPU that set it.
        pinned: bool,
    },
    /// Two maps that take turns.
    Swap,
    /// User space on a table of its own.
    Arena,
}

/// How often a program is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Once for a record.
    Single,
    /// Once for an array of records.
    Array,
    /// Once for the map, which it walks by itself.
    Walk,
}

/// A column of the matrix: a strategy, with or without a grace period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column {
    /// The strategy.
    pub gc: Gc,
    /// Whether it waits for a grace period.
    pub grace: bool,
}

const GRACE: &str = "+grace";

impl Column {
    /// All of them, in the order of the matrix.
    pub fn all() -> impl Iterator<Item = Self> {
        Gc::ALL.iter().flat_map(|&gc| {
            let with = gc.grace.then_some(Self { gc, grace: true });
            std::iter::once(Self { gc, grace: false }).chain(with)
        })
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (bare, grace) = name.strip_suffix(GRACE).map_or((name, false), |bare| (bare, true));
        let gc = Gc::named(bare)?;
        (!grace || gc.grace).then_some(Self { gc, grace })
    }

    /// Whether the stress fills such a map, so that it evicts. Timers do not note when they remove what, and of maps that take
    /// turns nobody removes anything by itself: nobody could tell either from an eviction.
    #[must_use]
    pub fn is_tried_with_evictions(&self, map: MapKind) -> bool {
        map == MapKind::LruHash && !matches!(self.gc.runs, Runs::Timer { .. } | Runs::Swap)
    }
}

impl std::ops::Deref for Column {
    type Target = Strategy;

    fn deref(&self) -> &Strategy {
        self.gc.data()
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}{}", self.gc, if self.grace { GRACE } else { "" }))
    }
}

catalogue! {
    /// A gc strategy.
    Gc is Strategy as STRATEGY {
        blind => Blind,
        recheck => Recheck,
        lock_recheck => LockRecheck,
        take_restore => TakeRestore,
        prog => Prog,
        prog_array => ProgArray,
        iter => Iter,
        prog_lock => ProgLock,
        prog_lock_array => ProgLockArray,
        iter_lock => IterLock,
        prog_mark => ProgMark,
        prog_mark_array => ProgMarkArray,
        iter_mark => IterMark,
        prog_stripe => ProgStripe,
        prog_stripe_array => ProgStripeArray,
        iter_stripe => IterStripe,
        prog_pinned => ProgPinned,
        timer => Timer,
        timer_pinned => TimerPinned,
        swap => Swap,
        arena => Arena,
        compare => Compare,
        compare_batch => CompareBatch,
        prog_sysbpf => ProgSysbpf,
        prog_kfunc => ProgKfunc,
    }
}

/// The round's clock: what has a lifetime below it has expired.
const READ_CLOCK: Step = Step::new("read_clock", "clock_gettime", Op::ReadClock);

/// A batch look-up copies key and value under the bucket lock (`hashtab.c:1872-1996`).
const SNAPSHOT: Step = Step::new("snapshot", "__htab_map_lookup_and_delete_batch", Op::Snapshot)
    .on(&[(Outcome::Live, Then::End), (Outcome::Missing, Then::End)]);

/// A program's or user space's delete by key: bucket lock, find, unlink (`hashtab.c:1541-1555`).
const DELETE: Step = Step::new("delete", "htab_map_delete_elem", Op::Delete)
    .on(&[(Outcome::Missing, Then::End)])
    .reports(Outcome::Done);

/// A syscall program's look-up, which returns a pointer.
const LOOK_UP: Step =
    Step::new("look_up", "__htab_map_lookup_elem", Op::LookUp).on(&[(Outcome::Missing, Then::End)]);

/// A program reads the lifetime through its pointer.
const JUDGE: Step = Step::new("judge", "program: read lifetime", Op::Judge).on(&[(Outcome::Live, Then::End)]);

/// A walk in the kernel (`hashtab.c:2330-2350`): an RCU section a bucket, no bucket lock.
const VISIT: Step =
    Step::new("visit", "bpf_for_each_hash_elem", Op::LookUp).on(&[(Outcome::Missing, Then::End)]);

/// The key to delete by, out of the element and onto the stack.
const COPY_KEY: Step = Step::new("copy_key", "program: copy the key", Op::CopyKey);

/// A program compares and marks under the element's lock, and lets go of it: no helper may be called with it held.
const LOCKED_MARK: Step = Step::new("locked_mark", "bpf_spin_lock", Op::LockedMark).on(&[
    (Outcome::Live, Then::End),
    (Outcome::Dead, Then::End),
    (Outcome::Other, Then::End),
]);

/// A delete of what this call has marked. A bucket's lock may be refused (`hashtab.c:151-162`).
const DELETE_OR_UNMARK: Step =
    DELETE.on(&[(Outcome::Missing, Then::End), (Outcome::Failed, Then::Go("unmark"))]);

/// As [`FREE`], before a step that only a failure leads to.
const FREE_MARKED: Step = FREE.then(Then::End);

/// A mark without a delete would keep its flow out for ever.
const LOCKED_UNMARK: Step = Step::new("unmark", "bpf_spin_lock", Op::LockedUnmark);

/// One 64-bit load.
const READ_WORD: Step = Step::new("read_word", "program: read lifetime, tag and mark", Op::ReadWord).on(&[
    (Outcome::Dead, Then::End),
    (Outcome::Other, Then::End),
    (Outcome::Live, Then::End),
]);

/// The mark, if nobody has changed lifetime, tag or mark since.
const CAS_MARK: Step = Step::new("cas_mark", "program: cmpxchg of lifetime, tag and mark", Op::CasMark)
    .on(&[(Outcome::Lost, Then::End)]);

/// See [`LOCKED_UNMARK`].
const CAS_UNMARK: Step = Step::new("unmark", "program: cmpxchg of lifetime, tag and mark", Op::CasUnmark);

/// With interrupts off.
const TAKE_STRIPE: Step = Step::new("take_stripe", "program: cmpxchg on the lock word", Op::TakeStripe);

/// An atomic exchange, hence a full barrier.
const DROP_STRIPE: Step =
    Step::new("drop_stripe", "program: xchg of the lock word", Op::DropStripe).same_call();

/// `BPF_F_COMPARE`: the first half of the critical section of `__htab_map_delete_elem` as the series has it.
const COMPARE: Step = Step::new("compare", "htab_map_compare_and_delete_elem", Op::Compare)
    .on(&[(Outcome::Differs, Then::End), (Outcome::Missing, Then::End)]);

/// The second half: nothing can be held between the two but a CPU in the hands of a debugger.
const UNLINK: Step =
    Step::new("unlink", "hlist_nulls_del_rcu", Op::Unlink).same_call().reports(Outcome::Done);

/// Most entries are live, and cost no lock.
const PEEK: Step = Step::new("peek", "program: read lifetime", Op::Judge).on(&[(Outcome::Live, Then::End)]);

/// The element goes back for reuse right after the bucket lock is dropped (`hashtab.c:1023-1026`).
const FREE: Step = Step::new("free", "free_htab_elem", Op::Free).same_call();
