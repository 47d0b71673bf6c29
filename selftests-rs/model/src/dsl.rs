// SPDX-License-Identifier: MIT OR Apache-2.0
//! The language in which a refresh discipline or a gc strategy is written down: a list of steps, each of them one action that
//! another CPU could see, with the kernel function that it stands for.

/// What a step does. "A" is the flow in question; "the pointer" is what this actor's last look-up returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Reads the clock into the actor's own.
    ReadClock,
    /// Begins a grace period. Put in by [`crate::Program::gc`], with the next.
    Grace,
    /// Returns once every packet has ended that was running when the grace period began.
    GraceEnd,
    /// Copies A's lifetime under the bucket lock: `Expired`, `Live` by the actor's clock, or `Missing`.
    Snapshot,
    /// Copies A's lifetime without the bucket lock (or under the element's, which takes as little): the same answers.
    Copy,
    /// Finds A without a lock and keeps the pointer: `Done` or `Missing`.
    LookUp,
    /// Finds A without a lock: `Same` if that is the pointer, else `Other`.
    LookUpAgain,
    /// Reads the lifetime through the pointer: `Expired` or `Live` by the actor's clock.
    Judge,
    /// The same, where a lifetime names the flow that wrote it: `Other` if that is not A.
    JudgeTagged,
    /// Reads such a lifetime: `Live` if it is A's and more than half of a timeout is left, else `Expired` or `Other`.
    JudgeHalf,
    /// A plain store of a new lifetime through the pointer.
    Store,
    /// The same under the element's lock, unless the dead mark is set: `Done` or `Dead`. One step, since whoever looks at
    /// the mark takes that lock.
    LockedStore,
    /// Sets the dead mark under the element's lock if the lifetime is over: `Done`, `Live` or `Dead` (by somebody else).
    LockedMark,
    /// Atomic exchange of the lifetime through the pointer: `Done`, or `Sealed` if the seal was there.
    Exchange,
    /// Update with `BPF_ANY`: a new element with a new lifetime, the old one unlinked, under the bucket lock.
    Replace,
    /// The same, by a packet that had found nothing.
    Create,
    /// Update with `BPF_NOEXIST`: `Done` or `Exists`.
    CreateNew,
    /// Delete by key, whatever the value: `Done` or `Missing`.
    Delete,
    /// Takes the bucket lock and compares A's lifetime with the copy: `Done` (lock kept), `Differs` or `Missing`.
    Compare,
    /// The same, writing the seal in the same atomic operation.
    CompareAndSeal,
    /// Takes the bucket lock and copies A's lifetime: `Done` (lock kept) or `Missing`.
    TakeCopy,
    /// Unlinks A and drops the bucket lock, which an earlier step of the same call has taken.
    Unlink,
    /// Gives the element that this actor has unlinked back for reuse; passed over if there is none. Answers whether the copy
    /// made before was `Expired` or `Live`.
    Free,
    /// Update with `BPF_NOEXIST` and the value copied before: `Done` or `Exists`.
    Restore,
    /// Arena: finds A's slot and reads its state word: `Live`, `Expired` or `Missing`.
    Find,
    /// Arena: compare-and-swap of the state word with a new lifetime: `Done` or `Lost`.
    CasRefresh,
    /// Arena: compare-and-swap of the state word with "free": `Done` or `Lost`.
    CasRemove,
    /// Arena: claims a free slot for A: `Done` or `Exists`.
    CasCreate,
}

/// How a step ended, for the steps that may end in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As meant.
    Done,
    /// A is not in the map.
    Missing,
    /// The lifetime is not over.
    Live,
    /// The lifetime is over.
    Expired,
    /// The dead mark is set.
    Dead,
    /// The pointer is what the map holds.
    Same,
    /// The map holds another element, or none.
    Other,
    /// Somebody had sealed the element.
    Sealed,
    /// A is in the map already.
    Exists,
    /// The value is not the copy.
    Differs,
    /// Somebody else changed the state word first.
    Lost,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// With the step below; after the last one the program has ended.
    Next,
    /// With the step of that label.
    Go(&'static str),
    /// A packet that found nothing: a SYN goes on with the step of that label, a data packet is dropped. Both are explored.
    Syn(&'static str),
    /// Nowhere: the program has ended.
    End,
    /// Nowhere: the packet is dropped.
    Drop,
}

/// One step of a program.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its name; the gate that a replay holds it at lies before it and has the same name.
    pub label: &'static str,
    /// The kernel function, or the place in the program, that it stands for.
    pub function: &'static str,
    /// What it does.
    pub op: Op,
    /// Whether a replay can hold the actor before it. Not so inside a kernel call that an earlier step began.
    pub gate: bool,
    /// Where to go on after which outcome, if not by `then`.
    pub branches: &'static [(Outcome, Then)],
    /// Where to go on otherwise.
    pub then: Then,
    /// After this outcome, gc counts a removal as its own.
    pub reports: Option<Outcome>,
}

impl Step {
    /// A step that goes on with the one below it.
    #[must_use]
    pub const fn new(label: &'static str, function: &'static str, op: Op) -> Self {
        Self { label, function, op, gate: true, branches: &[], then: Then::Next, reports: None }
    }

    /// Goes on elsewhere after some outcomes.
    #[must_use]
    pub const fn on(mut self, branches: &'static [(Outcome, Then)]) -> Self {
        self.branches = branches;
        self
    }

    /// Goes on elsewhere after every other outcome.
    #[must_use]
    pub const fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    /// Belongs to the kernel call that the step before it began: nothing can be held here.
    #[must_use]
    pub const fn same_call(mut self) -> Self {
        self.gate = false;
        self
    }

    /// After `outcome`, gc says that it has removed an entry.
    #[must_use]
    pub const fn reports(mut self, outcome: Outcome) -> Self {
        self.reports = Some(outcome);
        self
    }
}

/// The step of that label.
#[must_use]
pub fn step<'a>(steps: &'a [Step], label: &str) -> Option<&'a Step> {
    steps.iter().find(|step| step.label == label)
}

/// Whether a replay can hold an actor before the step of that label; labels that no list has (a clock tick, a store buffer
/// that drains) have no gate either.
#[must_use]
pub fn has_gate(steps: &[Step], label: &str) -> bool {
    step(steps, label).is_some_and(|step| step.gate)
}
