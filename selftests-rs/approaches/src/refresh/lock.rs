// SPDX-License-Identifier: MIT OR Apache-2.0
//! A store under the lock in the value, with a mark that gc may have left there.

use model::dsl::{Op, Outcome, Step, Then};

use crate::Protocol;

use super::{Discipline, LOOK_UP, READ_CLOCK};

// helpers.c:330-362. A dead entry is as good as none.
const LOCKED_STORE: Step = Step::new("locked_store", "bpf_spin_lock", Op::LockedStore)
    .on(&[(Outcome::Dead, Then::Syn("create"))])
    .then(Then::End);
// BPF_NOEXIST: while a dead entry is linked, the flow waits for its next SYN.
const CREATE: Step =
    Step::new("create", "htab_map_update_elem", Op::CreateNew).on(&[(Outcome::Exists, Then::Drop)]);

pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "lock",
    about: "look-up, bpf_spin_lock in the value, store unless marked dead, unlock",
    steps: &[READ_CLOCK, LOOK_UP, LOCKED_STORE, CREATE],
    protocol: Protocol::Lock,
    ..Discipline::PLAIN
};
