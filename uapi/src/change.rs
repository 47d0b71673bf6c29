// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of an entry whose window is equal.

use crate::bindings::{self as abi, bpf_cmd};

/// What becomes of an entry whose window is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is deleted.
    Delete,
    /// It gets a new value.
    Update,
}

impl Change {
    /// The command for one entry, and its name for people.
    pub(crate) fn of_one(self) -> (bpf_cmd, &'static str) {
        match self {
            Self::Delete => (abi::BPF_MAP_DELETE_ELEM, "BPF_MAP_DELETE_ELEM with BPF_F_COMPARE"),
            Self::Update => (abi::BPF_MAP_UPDATE_ELEM, "BPF_MAP_UPDATE_ELEM with BPF_F_COMPARE"),
        }
    }

    /// The command for many, and its name for people.
    pub(crate) fn of_many(self) -> (bpf_cmd, &'static str) {
        match self {
            Self::Delete => (abi::BPF_MAP_DELETE_BATCH, "BPF_MAP_DELETE_BATCH with BPF_F_COMPARE"),
            Self::Update => (abi::BPF_MAP_UPDATE_BATCH, "BPF_MAP_UPDATE_BATCH with BPF_F_COMPARE"),
        }
    }
}
