// SPDX-License-Identifier: MIT OR Apache-2.0
//! A store under the lock in the value, with a mark that gc may have left there. Careless: whose element it is nobody asks.

use model::dsl::{Op, Outcome, Step, Then};

use crate::Protocol;

use super::{CREATE_NEW, Discipline, LOCK_GIVES_UP, LOOK_UP, READ_CLOCK};

// helpers.c:330-362. A dead entry is as good as none.
const LOCKED_STORE: Step = Step::new("locked_store", "bpf_spin_lock", Op::LockedStore)
    .on(&[(Outcome::Dead, Then::Syn("create"))])
    .then(Then::End);
// BPF_NOEXIST: while a dead entry is linked, the flow waits for its next SYN.
const CREATE: Step = CREATE_NEW.on(&[(Outcome::Exists, Then::Drop)]);


pub(super) const DISCIPLINE: Discipline = Discipline {
    name: "lock",
    about: "look-up, bpf_spin_lock in the value, store unless marked dead, unlock",
    steps: &[READ_CLOCK, LOOK_UP, LOCKED_STORE, CREATE],
    protocol: Protocol::Lock,
    gives_up: LOCK_GIVES_UP,
    never_with: "Never with maps that hand elements on at once: the lock protects the element, not the flow; nor with a flow on two CPUs whose packets are held up across a tick: the older may store last.",
    ..Discipline::PLAIN
};
