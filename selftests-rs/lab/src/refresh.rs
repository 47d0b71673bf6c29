// SPDX-License-Identifier: MIT OR Apache-2.0
//! The refresh disciplines, one a file. A new one is its file, its `mod` and its line in [`ALL`].

mod arena;
mod due;
mod due_tagged;
mod half_life;
mod lock;
mod replace;
mod seal;
mod store;
mod verify;

use model::dsl::{Op, Outcome, Step, Then};

/// What the datapath does on a packet of a flow that it knows.
#[derive(Clone, Copy, Debug)]
pub struct Discipline {
    /// Its name in the matrix; the datapath's variant is `bpf/refresh/NAME.h`.
    pub name: &'static str,
    /// What it does, in half a sentence.
    pub about: &'static str,
    /// Whether its claim rests on the order of memory accesses: store buffers are explored as well.
    pub ordering: bool,
    /// What the model explores.
    pub steps: &'static [Step],
}

/// Every discipline, in the order of the matrix.
pub const ALL: &[Discipline] = &[
    store::DISCIPLINE,
    replace::DISCIPLINE,
    lock::DISCIPLINE,
    verify::DISCIPLINE,
    due::DISCIPLINE,
    due_tagged::DISCIPLINE,
    half_life::DISCIPLINE,
    seal::DISCIPLINE,
    arena::DISCIPLINE,
];

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
