// SPDX-License-Identifier: MIT OR Apache-2.0
//! Look once more under the element's lock before the delete, which takes the bucket's only.

use model::dsl::{Op, Outcome, Step, Then};

use super::{DELETE, FREE, READ_CLOCK, SNAPSHOT, Strategy};
use crate::{Family, Objection, Protocol};

// A copy under the element's lock is whole, but the lock is dropped before user space sees it.
const LOOK_UP_LOCKED: Step = Step::new("look_up_locked", "copy_map_value_locked", Op::Copy)
    .on(&[(Outcome::Live, Then::End), (Outcome::Missing, Then::End)]);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "lock-recheck",
    about: "looks up with BPF_F_LOCK, compares, deletes",
    steps: &[READ_CLOCK, SNAPSHOT, LOOK_UP_LOCKED, DELETE, FREE],
    protocol: Protocol::Lock,
    family: Family::LockFlag,
    answers: &[Objection::SpinLock, Objection::Nothing],
    gives_up: &["LRU maps, whose values hold no bpf_spin_lock"],
    never_with: "Never with entries that somebody refreshes meanwhile: it deletes by key.",
    ..Strategy::PLAIN
};
