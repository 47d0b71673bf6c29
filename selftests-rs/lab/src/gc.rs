// SPDX-License-Identifier: MIT OR Apache-2.0
//! The gc strategies, one a file. A new one is its file, its `mod` and its line in [`ALL`].

mod arena;
mod blind;
mod compare;
mod compare_batch;
mod iter;
mod lock_recheck;
mod prog;
mod prog_array;
mod prog_kfunc;
mod prog_lock;
mod prog_lock_array;
mod prog_sysbpf;
mod recheck;
mod seal;
mod take_restore;

use model::dsl::{Op, Outcome, Step, Then};

use crate::collector::Kernel;

/// What gc does with an entry that has expired.
#[derive(Clone, Copy)]
pub struct Strategy {
    /// Its name in the matrix, without `+grace`.
    pub name: &'static str,
    /// What it does, in half a sentence.
    pub about: &'static str,
    /// Whether it reads the clock and waits for a grace period before it looks for what had expired by then.
    pub grace: bool,
    /// What the model explores.
    pub steps: &'static [Step],
    /// What the lab runs.
    pub kernel: Kernel,
    /// The series whose kernel alone has what it takes; none for what is tried on every kernel.
    pub series: Option<&'static str>,
}

impl Strategy {
    /// The same after a grace period.
    #[must_use]
    pub const fn with_grace(mut self) -> Self {
        self.grace = true;
        self
    }

    /// Its name in the matrix.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}{}", self.name, if self.grace { "+grace" } else { "" })
    }
}

/// Every strategy, in the order of the matrix.
pub const ALL: &[Strategy] = &[
    blind::STRATEGY,
    blind::STRATEGY.with_grace(),
    recheck::STRATEGY,
    recheck::STRATEGY.with_grace(),
    lock_recheck::STRATEGY,
    take_restore::STRATEGY,
    prog::STRATEGY,
    prog::STRATEGY.with_grace(),
    prog_array::STRATEGY,
    prog_lock::STRATEGY,
    prog_lock_array::STRATEGY,
    iter::STRATEGY,
    compare::STRATEGY,
    compare::STRATEGY.with_grace(),
    compare_batch::STRATEGY,
    compare_batch::STRATEGY.with_grace(),
    prog_sysbpf::STRATEGY,
    prog_kfunc::STRATEGY,
    seal::STRATEGY,
    arena::STRATEGY,
];

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

/// A program compares and marks under the element's lock, and lets go of it: no helper may be called with it held.
const LOCKED_MARK: Step = Step::new("locked_mark", "bpf_spin_lock", Op::LockedMark)
    .on(&[(Outcome::Live, Then::End), (Outcome::Dead, Then::End)]);

/// `BPF_F_COMPARE`: the first half of the critical section of `__htab_map_delete_elem` as the series has it.
const COMPARE: Step = Step::new("compare", "htab_map_delete_elem_cmp", Op::Compare)
    .on(&[(Outcome::Differs, Then::End), (Outcome::Missing, Then::End)]);

/// The second half: nothing can be held between the two but a CPU in the hands of a debugger.
const UNLINK: Step =
    Step::new("unlink", "hlist_nulls_del_rcu", Op::Unlink).same_call().reports(Outcome::Done);

/// The element goes back for reuse right after the bucket lock is dropped (`hashtab.c:1023-1026`).
const FREE: Step = Step::new("free", "free_htab_elem", Op::Free).same_call();
