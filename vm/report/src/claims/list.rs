// SPDX-License-Identifier: MIT OR Apache-2.0
//! The claims. Each was a hypothesis before it was run, and stays here only as long as the evidence bears it out.

use approaches::Objection;
use results::races::{
    Circumstance::{Spread, TwoCollectors},
    Violation::{ForeignValue, LostRefresh, StrayWrite},
};

use super::{
    About::{self, Door as At, Objection as To},
    Claim, all,
};
use crate::{catalogue, kinds::Evidence, page::Door};

const HASH: &str = "hash";
const NO_PREALLOC: &str = "hash-no-prealloc";
const LRU: &str = "lru-hash";
const RHASH: &str = "rhash";

const PROGRAMS: &[About] = &[At(Door::Datapath), To(Objection::SpinLock), To(Objection::Program)];
const PROPOSAL: &[About] = &[At(Door::Kernel), To(Objection::Proposal)];

/// All of them.
pub const CLAIMS: &[Claim] = &[
    Claim {
        id: "no-patch-needed",
        says: "Two protocols lose nothing without any patch: half-life-stripe with prog-stripe on hash, hash-no-prealloc and \
               lru-hash; lock-tagged with prog-lock on hash and hash-no-prealloc, from 7.3 on.",
        about: PROGRAMS,
        holds: |e| {
            all([
                e.loses_nothing("half-life-stripe", &["prog-stripe"], &[HASH, NO_PREALLOC, LRU]),
                e.loses_nothing("lock-tagged", &["prog-lock"], &[HASH, NO_PREALLOC]),
            ])
        },
    },
    Claim {
        id: "no-patch-needed-here",
        says: "The first of them loses nothing on this machine's own kernel either, without emulation.",
        about: &[At(Door::Datapath), At(Door::Sceptic)],
        holds: |e| {
            all([
                e.clean_here("half-life-stripe", "prog-stripe", HASH),
                e.clean_here("half-life-stripe", "prog-stripe", LRU),
            ])
        },
    },
    Claim {
        id: "plain-store",
        says: "A plain store is safe with no collector but prog-pinned and timer-pinned, and with prog-pinned only while its \
               flow stays on one CPU.",
        about: &[At(Door::Datapath), To(Objection::Nothing), To(Objection::Program)],
        holds: |e| {
            let pinned = ["prog-pinned", "timer-pinned"];
            all([
                e.none_is_safe(|cell| cell.refresh == "store" && !pinned.contains(&cell.gc.as_str())),
                e.loses_nothing("store", &["prog-pinned"], &[HASH]),
                e.breaks("store", "prog-pinned", HASH, Spread),
            ])
        },
    },
    Claim {
        id: "checking-again",
        says: "A second look before the delete does not close the race: the check and the delete are two steps.",
        about: &[To(Objection::Nothing)],
        holds: |e| all([e.goes_wrong("store", "recheck", HASH), e.goes_wrong("store", "prog", HASH)]),
    },
    Claim {
        id: "tombstones",
        says: "Tombstones (cas-tagged, due-mark) are safe on hash and lose on lru-hash: after an eviction, the delete by key \
               takes the entry that a SYN has made again.",
        about: &[At(Door::Datapath), At(Door::Kernel), To(Objection::Program), To(Objection::Proposal)],
        holds: |e| {
            all([
                e.loses_nothing("cas-tagged", &["prog-mark"], &[HASH]),
                e.loses_nothing("due-mark", &["prog-mark+grace"], &[HASH]),
                e.shows("cas-tagged", "prog-mark", LRU, LostRefresh),
                e.shows("due-mark", "prog-mark+grace", LRU, LostRefresh),
            ])
        },
    },
    Claim {
        id: "two-collectors",
        says: "A second collector beside the first does no harm to stripes, marks or compare, and neither does a flow that moves \
               from CPU to CPU.",
        about: &[At(Door::Datapath), At(Door::Kernel)],
        holds: |e| {
            all([
                e.survives("half-life-stripe", "prog-stripe", HASH, TwoCollectors),
                e.survives("cas-tagged", "prog-mark", HASH, TwoCollectors),
                e.survives("half-life-stripe", "prog-stripe", HASH, Spread),
                e.survives("cas-tagged", "prog-mark", HASH, Spread),
            ])
        },
    },
    Claim {
        id: "walks-are-cheap",
        says: "The forms that walk the map in the kernel and take the element's own word or lock (iter-lock, iter-mark) cost \
               less for each removal than a compare batch.",
        about: &[At(Door::Kernel), To(Objection::Program), To(Objection::SpinLock), To(Objection::Proposal)],
        holds: |e| e.removal_is_cheaper(&["iter-lock", "iter-mark"], "compare-batch"),
    },
    Claim {
        id: "naive-copies",
        says: "A refresh that copies the value through its pointer and does not check the copy (replace, half-life) can publish \
               another flow's state, with the proposal as well.",
        about: &[At(Door::Datapath), At(Door::Kernel), To(Objection::Proposal)],
        holds: |e| {
            all([
                e.shows("replace", "compare", HASH, ForeignValue),
                e.shows("half-life", "compare", HASH, ForeignValue),
            ])
        },
    },
    Claim {
        id: "flag-and-plain-store",
        says: "The flag adds nothing for a datapath that stores in place.",
        about: PROPOSAL,
        holds: |e| e.none_is_safe(|cell| cell.refresh == "store" && catalogue::is_proposal(&cell.gc)),
    },
    Claim {
        id: "flag-and-rhash",
        says: "The flag adds nothing on rhash.",
        about: PROPOSAL,
        holds: |e| e.none_is_safe(|cell| cell.map == RHASH && catalogue::is_proposal(&cell.gc)),
    },
    Claim {
        id: "flag-stands-alone",
        says: "With a datapath that replaces and checks its copy, a compare needs no lock and no mark, and stays right when an \
               entry is evicted and made again.",
        about: PROPOSAL,
        holds: |e| e.loses_nothing("half-life-checked", &["compare"], &[HASH, LRU]),
    },
    Claim {
        id: "condition-on-the-update",
        says: "With the condition on its update too (replace-compared), a datapath that copies a value publishes no other flow's \
               state, also where a flow moves between CPUs. There, a check of the copy alone (replace-checked) does not do.",
        about: PROPOSAL,
        holds: |e| {
            all([
                e.loses_nothing("replace-compared", &["compare"], &[HASH, NO_PREALLOC, LRU]),
                e.survives("replace-compared", "compare", HASH, Spread),
                e.survives("replace-compared", "compare", LRU, Spread),
                e.breaks("replace-checked", "compare", HASH, Spread),
            ])
        },
    },
    Claim {
        id: "flag-has-a-price",
        says: "On one and the same kernel, a compare that hits costs more than a plain delete.",
        about: PROPOSAL,
        holds: |e| e.costs_more_on_its_kernel("compare hit"),
    },
    Claim {
        id: "timers-lose",
        says: "An entry's own timer that fires on any CPU loses entries of a datapath that stores in place.",
        about: &[At(Door::Datapath), To(Objection::Program)],
        holds: |e| e.goes_wrong("store", "timer", HASH),
    },
    Claim {
        id: "lock-on-rhash",
        says: "On rhash, whose elements are not reused at once, a lock in the value needs no tag: lock with prog-lock is safe.",
        about: &[At(Door::Datapath), To(Objection::SpinLock)],
        holds: |e| e.loses_nothing("lock", &["prog-lock"], &[RHASH]),
    },
    Claim {
        id: "the-stress-sees",
        says: "In cells that lose nothing the stress sees at least three of ten losses, on each type of map: so often \
               a flow's next packet comes while what was lost would still be missed.",
        about: &[At(Door::Sceptic)],
        holds: Evidence::sees_enough,
    },
    Claim {
        id: "lock-needs-a-tag",
        says: "On hash, a lock in the value without a tag is not safe: an element is another flow's by the time it is locked.",
        about: &[At(Door::Datapath), To(Objection::SpinLock)],
        holds: |e| e.goes_wrong("lock", "prog-lock", HASH),
    },
    Claim {
        id: "stripes-and-eviction",
        says: "A store under a lock of the programs' own strays where an LRU map evicts, since an eviction takes no such lock.",
        about: &[At(Door::Datapath), To(Objection::Program)],
        holds: |e| e.shows("store-stripe", "prog-stripe", LRU, StrayWrite),
    },
    Claim {
        id: "preempted",
        says: "On a kernel that preempts packets (PREEMPT_RT), of all that is safe elsewhere prog-pinned alone loses under \
               stress.",
        about: &[At(Door::Datapath), At(Door::Kernel), To(Objection::Program)],
        holds: |e| e.preempted_lose_with("prog-pinned"),
    },
    Claim {
        id: "arena",
        says: "An arena is safe and removes an entry for less than any form of the proposal. It is no map of the kernel's any \
               more.",
        about: &[To(Objection::Arena)],
        holds: |e: &Evidence| {
            all([e.loses_nothing("arena", &["arena"], &["arena"]), e.undercuts_the_proposal("arena")])
        },
    },
];
