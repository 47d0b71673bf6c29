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
    /// The series whose kernels alone have what it takes; none for what is tried on every kernel.
    pub series: Option<&'static str>,
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
        series: None,
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
        replace_checked => ReplaceChecked,
        replace_compared => ReplaceCompared,
        lock => Lock,
        lock_tagged => LockTagged,
        verify => Verify,
        due => Due,
        due_tagged => DueTagged,
        due_mark => DueMark,
        cas_tagged => CasTagged,
        half_life => HalfLife,
        half_life_checked => HalfLifeChecked,
        half_life_stripe => HalfLifeStripe,
        store_stripe => StoreStripe,
        generation => Generation,
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

/// The whole value, to the stack: a refresh by update is read, modify, write.
const COPY_VALUE: Step = Step::new("copy_value", "program: copy the value", Op::CopyValue);

/// Back to the look-up; a program does so a few times and then drops the packet.
const AGAIN: Then = Then::Go("look_up");

/// Whether the copy is this flow's: the map still holds that element, and the copied tag is its own.
const CHECK: Step =
    Step::new("look_up_again", "__htab_map_lookup_elem", Op::LookUpChecked).on(&[(Outcome::Other, AGAIN)]);

/// Lifetime, tag and mark change together, or somebody else was first.
const CAS_STORE: Step = Step::new("cas_store", "program: cmpxchg of lifetime, tag and mark", Op::CasStore)
    .on(&[(Outcome::Lost, Then::Go("read_word"))])
    .then(Then::End);

/// A flow's first packet, `BPF_ANY`. It may find that somebody else has made the entry.
const CREATE: Step = Step::new("create", "htab_map_update_elem", Op::Create);

/// A flow's first packet, `BPF_NOEXIST`.
const CREATE_NEW: Step = Step::new("create", "htab_map_update_elem", Op::CreateNew);

/// What an update has replaced goes back for reuse (`hashtab.c:1023-1026`, where the map is not preallocated).
const FREE: Step = Step::new("free", "free_htab_elem", Op::Free).same_call().then(Then::End);

/// The look-up of those that create under the stripe.
const LOOK_UP_TO_STRIPE: Step = Step::new("look_up", "__htab_map_lookup_elem", Op::LookUp)
    .on(&[(Outcome::Missing, Then::Syn("take_stripe"))]);

/// For whoever has found nothing: to create.
const TAKE_STRIPE: Step = Step::new("take_stripe", "program: cmpxchg on the lock word", Op::TakeStripe)
    .on(&[(Outcome::Missing, Then::Go("create"))]);

/// Under the stripe; what is gone by now is dropped with it.
const LOOK_UP_STRIPED: Step = Step::new("look_up_striped", "__htab_map_lookup_elem", Op::LookUp)
    .on(&[(Outcome::Missing, Then::Go("drop_stripe"))]);

/// Under the stripe, `BPF_NOEXIST`: who finds an entry lets go and looks up again, as another packet would.
const CREATE_STRIPED: Step = Step::new("create", "htab_map_update_elem", Op::CreateNew)
    .on(&[(Outcome::Exists, Then::Go("drop_stripe"))]);

/// An atomic exchange, hence a full barrier.
const DROP_STRIPE: Step =
    Step::new("drop_stripe", "program: xchg of the lock word", Op::DropStripe).same_call();

const REORDERED: &str = "LRU maps on CPUs that reorder stores, such as arm64: there the kernel hands an element on without a barrier";

/// The kernel puts the new element before the others of its bucket, and takes the old one out behind: a look-up between them
/// comes to the end without either. keep/tests/native/missed.rs has both.
const MISSED: &str = "a miss that can be trusted: beside another packet's update a look-up can miss what is there, and has to be made again";

const LOCK_GIVES_UP: &[&str] = &[
    "LRU maps, whose values hold no bpf_spin_lock",
    "a lock for each packet",
    "flows that open while a dead entry is in the way",
];
