// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose a gc strategy is, and which objection of the reply it answers.

/// A group of gc strategies that stand together in the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// What datapaths do today.
    Today,
    /// The reply: `BPF_F_LOCK` from user space.
    LockFlag,
    /// The reply: a program on the same map.
    Program,
    /// The reply: `bpf_spin_lock` in that program.
    SpinLock,
    /// Programs alone: a mark, set by compare-and-swap.
    Mark,
    /// Programs alone: a lock word of their own.
    Stripe,
    /// Programs alone: on the flow's own CPU.
    Pinned,
    /// Programs alone: the entry's own timer.
    Timer,
    /// User space alone: two maps that take turns.
    Swap,
    /// The reply: an arena.
    Arena,
    /// The proposal.
    Compare,
}

impl Family {
    /// All of them, in the order of the matrix.
    pub const ALL: [Self; 11] = [
        Self::Today,
        Self::LockFlag,
        Self::Program,
        Self::SpinLock,
        Self::Mark,
        Self::Stripe,
        Self::Pinned,
        Self::Timer,
        Self::Swap,
        Self::Arena,
        Self::Compare,
    ];

    /// Its head in the matrix.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Today => "Done today",
            Self::LockFlag => "The reply: BPF_F_LOCK",
            Self::Program => "The reply: a program on the same map",
            Self::SpinLock => "The reply: bpf_spin_lock in that program",
            Self::Mark => "Programs: a mark by compare-and-swap",
            Self::Stripe => "Programs: a lock of their own",
            Self::Pinned => "Programs: on the flow's own CPU",
            Self::Timer => "Programs: the entry's own timer",
            Self::Swap => "Two maps that take turns",
            Self::Arena => "The reply: an arena",
            Self::Compare => "The proposal: compare and delete",
        }
    }

    /// It takes a kernel patch.
    #[must_use]
    pub const fn is_proposal(self) -> bool {
        matches!(self, Self::Compare)
    }
}

/// What the reply said against the proposal; the proposal itself is weighed by the same rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Objection {
    /// Use `bpf_spin_lock`.
    SpinLock,
    /// Use `lookup_and_delete` with `BPF_F_LOCK`.
    LookupAndDelete,
    /// Use a syscall program on the same map.
    Program,
    /// Convert everything to an arena.
    Arena,
    /// Leave the kernel as it is.
    Nothing,
    /// The proposal.
    Proposal,
}

impl Objection {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 6] =
        [Self::SpinLock, Self::LookupAndDelete, Self::Program, Self::Arena, Self::Nothing, Self::Proposal];

    /// Its anchor in the report.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::SpinLock => "objection-spin-lock",
            Self::LookupAndDelete => "objection-lookup-and-delete",
            Self::Program => "objection-program",
            Self::Arena => "objection-arena",
            Self::Nothing => "objection-nothing",
            Self::Proposal => "objection-proposal",
        }
    }

    /// In a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::SpinLock => "Use bpf_spin_lock",
            Self::LookupAndDelete => "Use lookup_and_delete with BPF_F_LOCK",
            Self::Program => "Use a syscall program",
            Self::Arena => "Use an arena",
            Self::Nothing => "Do nothing, or check again",
            Self::Proposal => "The proposal, by the same rule",
        }
    }

    /// The reply, in substance; or the proposal's own claim.
    #[must_use]
    pub const fn claim(self) -> &'static str {
        match self {
            Self::SpinLock => "There is bpf_spin_lock to synchronise programs and user space.",
            Self::LookupAndDelete => "lookup_and_delete with BPF_F_LOCK takes the same lock.",
            Self::Program => "A syscall program, triggered from user space, can work on the same map.",
            Self::Arena => "Convert everything to an arena and use any algorithm.",
            Self::Nothing => "Leave the kernel as it is: delete by key, or look up once more before it.",
            Self::Proposal => "BPF_F_COMPARE: compare and unlink under the bucket lock.",
        }
    }
}
