// SPDX-License-Identifier: MIT OR Apache-2.0
//! The refresh disciplines, one a file.

use model::dsl::{Op, Outcome, Step, Then};

use crate::catalogue::catalogue;
use crate::{Protocol, Since};

/// What the datapath does on a packet of a flow that it knows.
#[derive(Clone, Copy, Debug)]
pub struct Discipline {
    /// Its name in the matrix; the datapath's variant is `lab/src/bpf/refresh/NAME.h`.
    pub name: &'static str,
    /// What it does, in half a sentence.
    pub about: &'static str,
    /// What the model explores.
    pub steps: &'static [Step],
    /// What its entries hold for a protocol, and so whose collectors it goes with.
    pub protocol: Protocol,
    /// Whether its claim rests on the order of memory accesses: store buffers are explored as well.
    pub ordering: bool,
    /// Whether it tells its flow's values from those of others by a tag: what a collision does is explored as well.
    pub tagged: bool,
    /// The oldest kernel that it runs on.
    pub since: Since,
    /// What whoever uses it does without.
    pub gives_up: &'static [&'static str],
    /// What it must never be combined with, as a sentence.
    pub never_with: &'static str,
}

impl Discipline {
    /// What most have in common.
    const PLAIN: Self = Self {
        name: "",
        about: "",
        steps: &[],
        protocol: Protocol::Plain,
        ordering: false,
        tagged: false,
        since: (6, 1),
        gives_up: &[],
        never_with: "",
    };
}

catalogue! {
    /// A refresh discipline.
    Refresh is Discipline as DISCIPLINE {
        store => Store,
        replace => Replace,
        lock => Lock,
        verify => Verify,
        due => Due,
        due_tagged => DueTagged,
        half_life => HalfLife,
        arena => Arena,
    }
}

/// Time, read once, at the beginning of the program.
const READ_CLOCK: Step = Step::new("read_clock", "program: read the clock", Op::ReadClock);

/// Without an entry, a data packet is dropped (the datapath is stateful) and a SYN makes one.
const LOOK_UP: Step =
    Step::new("look_up", "__htab_map_lookup_elem", Op::LookUp).on(&[(Outcome::Missing, Then::Syn("create"))]);

/// One aligned 32-bit store.
const STORE: Step = Step::new("store", "program: store lifetime", Op::Store);

/// An atomic exchange, hence a full barrier as well.
const EXCHANGE: Step = Step::new("exchange", "program: xchg lifetime", Op::Exchange);

/// A whole new value with `BPF_ANY`: new element in, old one out, under the bucket lock (`hashtab.c:1241-1289`).
const REPLACE: Step = Step::new("replace", "htab_map_update_elem", Op::Replace);

/// A flow's first packet, `BPF_ANY`. It may find that somebody else has made the entry.
const CREATE: Step = Step::new("create", "htab_map_update_elem", Op::Create);

/// What an update has replaced goes back for reuse (`hashtab.c:1023-1026`, where the map is not preallocated).
const FREE: Step = Step::new("free", "free_htab_elem", Op::Free).same_call().then(Then::End);
