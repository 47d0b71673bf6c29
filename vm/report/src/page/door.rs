// SPDX-License-Identifier: MIT OR Apache-2.0
//! For whom there is a way into the report, and what everybody can type.

/// Who stands before the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Who writes a datapath.
    Datapath,
    /// Who maintains BPF.
    Kernel,
    /// Who wants to see it.
    Sceptic,
}

impl Door {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Datapath, Self::Kernel, Self::Sceptic];

    /// Its anchor.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Datapath => "door-datapath",
            Self::Kernel => "door-kernel",
            Self::Sceptic => "door-sceptic",
        }
    }

    /// What is asked before it.
    pub const fn asks(self) -> &'static str {
        match self {
            Self::Datapath => "I write a datapath: what do I do today?",
            Self::Kernel => "I maintain BPF: what does the flag add?",
            Self::Sceptic => "I want to see for myself",
        }
    }
}

/// What runs the races on the reader's own kernel.
pub const HERE: &str = "cargo xtask races --here";
