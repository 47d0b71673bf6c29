// SPDX-License-Identifier: MIT OR Apache-2.0
//! A store under the lock in the value, which also protects the mark and the tag. New elements are filled under the same lock, so
//! that the tag under it says whose the element is.

use model::dsl::{Op, Outcome, Step, Then};

use crate::Protocol;

use super::{AGAIN, Discipline, LOCK_GIVES_UP, LOOK_UP, READ_CLOCK};

// helpers.c:330-362.
const LOCKED_STORE: Step = Step::new("locked_store", "bpf_spin_lock", Op::LockedStoreTagged)
    .on(&[(Outcome::Dead, AGAIN), (Outcome::Other, AGAIN)])
    .then(Then::End);
// BPF_NOEXIST | BPF_F_LOCK (hashtab.c:1165).
const CREATE: Step =
    Step::new("create", "htab_map_update_elem", Op::CreateLocked).on(&[(Outcome::Exists, AGAIN)]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "lock-tagged",
    about: "look-up, bpf_spin_lock; mark and tag checked under it; store, unlock",
    steps: &[READ_CLOCK, LOOK_UP, LOCKED_STORE, CREATE],
    protocol: Protocol::Lock,
    // Older kernels fill a new element without its lock, `BPF_F_LOCK` or not.
    since: (7, 3),
    tagged: true,
    gives_up: LOCK_GIVES_UP,
    never_with: "Never with an update by anybody that does not take the element's lock, nor with a delete of what is not marked.",
    ..Discipline::PLAIN
};
