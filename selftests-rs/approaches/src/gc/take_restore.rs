// SPDX-License-Identifier: MIT OR Apache-2.0
//! Take the entry out and put it back if it turns out to be live.

use model::dsl::{Op, Outcome, Step, Then};

use super::{READ_CLOCK, SNAPSHOT, Strategy};
use crate::{Family, Objection, Protocol};

// hashtab.c:1717-1751: bucket lock, copy under the element's lock, that one dropped, unlink.
const TAKE_COPY: Step =
    Step::new("take", "__htab_map_lookup_and_delete_elem", Op::TakeCopy).on(&[(Outcome::Missing, Then::End)]);
const TAKE_UNLINK: Step = Step::new("take_unlink", "hlist_nulls_del_rcu", Op::Unlink).same_call();
// Only what was expired when it was taken counts as removed.
const FREE: Step = Step::new("free", "free_htab_elem", Op::Free)
    .same_call()
    .on(&[(Outcome::Expired, Then::End)])
    .reports(Outcome::Expired);
const RESTORE: Step = Step::new("restore", "htab_map_update_elem", Op::Restore);

pub(super) const STRATEGY: Strategy = Strategy {
    name: "take-restore",
    about: "takes the entry out with BPF_F_LOCK, puts a live one back with BPF_NOEXIST",
    steps: &[READ_CLOCK, SNAPSHOT, TAKE_COPY, TAKE_UNLINK, FREE, RESTORE],
    protocol: Protocol::Lock,
    family: Family::LockFlag,
    answers: &[Objection::SpinLock, Objection::LookupAndDelete],
    gives_up: &["LRU maps, whose values hold no bpf_spin_lock", "entries that are live, for as long as they are out"],
    never_with: "Never with packets that must find their entry: a live one is out for a time.",
    ..Strategy::PLAIN
};
