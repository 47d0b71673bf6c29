// SPDX-License-Identifier: MIT OR Apache-2.0
//! The language in which a refresh discipline or a gc strategy is written down: a list of steps, each of them one action that
//! another CPU could see, with the kernel function that it stands for.

/// What a step does. "A" is the flow in question; "the pointer" is what this actor's last look-up returned; "its key" is A,
/// unless it has copied another one from an element.
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
    /// Copies A's whole value without the bucket lock: `Done` or `Missing`.
    CopyAll,
    /// Finds its key without a lock and keeps the pointer: `Done` or `Missing`.
    LookUp,
    /// Reads the clock and has the pointer to A's element, whose timer has fired: `Done` or `Missing`.
    Fire,
    /// Finds A without a lock: `Same` if that is the pointer, else `Other`.
    LookUpAgain,
    /// The same, and `Other` as well if the copied value's tag is not A's.
    LookUpChecked,
    /// Reads the lifetime through the pointer: `Expired` or `Live` by the actor's clock.
    Judge,
    /// Reads lifetime and tag with one load: `Other` if the tag is not A's.
    JudgeTagged,
    /// The same: `Live` if more than half of a timeout is left, else `Expired` or `Other`.
    JudgeHalf,
    /// Copies the value through the pointer to the stack: state, lifetime and tag.
    CopyValue,
    /// Copies the key out of the element that the pointer leads to: it is the actor's key from now on.
    CopyKey,
    /// A plain store of a new lifetime through the pointer.
    Store,
    /// The same under the element's lock, unless the dead mark is set: `Done` or `Dead`.
    LockedStore,
    /// The same, and `Other` if the tag is not A's.
    LockedStoreTagged,
    /// Sets the dead mark under the element's lock if the lifetime is over: `Done`, `Live`, `Dead` (by somebody else) or
    /// `Other` if the tag is not that of its key.
    LockedMark,
    /// Takes the mark back under the element's lock, if it is still there and the tag that of its key.
    LockedUnmark,
    /// Atomic exchange of the lifetime through the pointer.
    Exchange,
    /// Reads lifetime, tag and dead mark with one load: `Dead`, `Other`, `Expired` or `Live`.
    ReadWord,
    /// Compare-and-swap of that word with a new lifetime: `Done` or `Lost`.
    CasStore,
    /// Compare-and-swap of that word with itself and the dead mark: `Done` or `Lost`.
    CasMark,
    /// Compare-and-swap of the marked word with the one read before.
    CasUnmark,
    /// Update with `BPF_ANY` and the copied state: a new element with a new lifetime, the old one unlinked, under the bucket
    /// lock. Where updates are in place: finds the element, then writes into it.
    Replace,
    /// The same, by a packet that had found nothing.
    Create,
    /// Update with `BPF_NOEXIST`: `Done` or `Exists`.
    CreateNew,
    /// The same with `BPF_F_LOCK`: a new element is filled under its own lock.
    CreateLocked,
    /// Delete by its key, whatever the value: `Done` or `Missing`; or `Failed`, where the program has a way on from that.
    Delete,
    /// Takes the bucket lock and compares A's lifetime with the copy: `Done` (lock kept), `Differs` or `Missing`.
    Compare,
    /// The same of everything that the copied value holds, but for the tag: a packet's, before `Replace`.
    CompareValue,
    /// Takes the bucket lock and copies A's lifetime: `Done` (lock kept) or `Missing`. Where elements wait for a grace period
    /// it unlinks first, and the next step copies.
    TakeCopy,
    /// Unlinks A and drops the bucket lock, which an earlier step of the same call has taken.
    Unlink,
    /// Gives the element that this actor has unlinked back for reuse; passed over if there is none. Answers whether the copy
    /// made before was `Expired` or `Live`.
    Free,
    /// Update with `BPF_NOEXIST` and the value copied before: `Done` or `Exists`.
    Restore,
    /// Takes the lock word that A's key hashes to: `Done`, or `Missing` for whoever had found no entry.
    TakeStripe,
    /// Drops it, with a full barrier.
    DropStripe,
    /// Goes to the CPU that A's packets run on and disables interrupts there, once none of them is at work.
    Pin,
    /// Enables them again.
    Unpin,
    /// Reads which map is the current one.
    ReadCurrent,
    /// Looks A up in the map read as current: `Done` or `Missing`.
    LookUpCurrent,
    /// Reads which map is the previous one.
    ReadPrevious,
    /// Looks A up in the map read as previous: `Done` or `Missing`.
    LookUpPrevious,
    /// Puts A into the map read as current, with `BPF_NOEXIST`.
    PutCurrent,
    /// The current map is the previous one as well; what has been promised until now is over.
    SwapPrevious,
    /// An empty map is the current one.
    SwapCurrent,
    /// The map that was the previous one is emptied.
    DropPrevious,
    /// Arena: finds A's slot and reads its state word: `Live`, `Expired` or `Missing`.
    Find,
    /// Arena: compare-and-swap of the state word with a new lifetime: `Done` or `Lost`.
    CasRefresh,
    /// Arena: compare-and-swap of the state word with "free": `Done` or `Lost`.
    CasRemove,
    /// Arena: claims a free slot for A: `Done` or `Exists`.
    CasCreate,
}

impl Op {
    /// It waits for whoever has the bucket lock. So does [`Op::Replace`], unless this actor has it.
    #[must_use]
    pub const fn waits_for_the_bucket(self) -> bool {
        matches!(
            self,
            Self::Snapshot
                | Self::CopyAll
                | Self::Create
                | Self::CreateNew
                | Self::CreateLocked
                | Self::Delete
                | Self::Compare
                | Self::CompareValue
                | Self::TakeCopy
                | Self::Restore
        )
    }

    /// It is a step with two maps that take turns.
    #[must_use]
    pub const fn is_of_maps_in_turn(self) -> bool {
        matches!(
            self,
            Self::ReadCurrent
                | Self::LookUpCurrent
                | Self::ReadPrevious
                | Self::LookUpPrevious
                | Self::PutCurrent
                | Self::SwapPrevious
                | Self::SwapCurrent
                | Self::DropPrevious
        )
    }
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
    /// The map holds another element, or none; or the element is another flow's by its tag.
    Other,
    /// A is in the map already.
    Exists,
    /// The value is not the copy.
    Differs,
    /// Somebody else changed the word first.
    Lost,
    /// The kernel refused: a lock could not be had.
    Failed,
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
    /// The same, where a data packet has something to let go of first: it goes on with the second one.
    SynElse(&'static str, &'static str),
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

/// What the model puts into a kernel call of its own accord: a step's name in a schedule is that of the call and one of these.
pub const INSIDE: [&str; 2] = [".in_place", ".store"];

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
