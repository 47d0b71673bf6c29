// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of the series this kernel carries. They differ in several things, and all of them hang on one question here: a
//! kernel that answers some like one and some like the other fails.

use std::os::fd::AsRawFd as _;
use std::sync::OnceLock;

use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Batch, Create, Errno, WHOLE_ATTR, map_create};

use crate::errno::{E2BIG, EBUSY, EINVAL, ESTALE};

/// A series of patches. Meant for a kernel that carries one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// `rfc`, as posted: the hash alone, deletes of one entry at a time, and `-EBUSY` for a window that differs.
    Rfc,
    /// `v3`: with LRU hash, updates and batches, and `-ESTALE` for a window that differs.
    V3,
}

impl Series {
    /// `v3` takes a batch of nothing, far from any limit; `rfc` refuses bytes that it does not know.
    pub fn of_this_kernel() -> Self {
        static ANSWER: OnceLock<Series> = OnceLock::new();
        *ANSWER.get_or_init(|| {
            let create = Create {
                map_type: abi::BPF_MAP_TYPE_HASH,
                key_size: 4,
                value_size: 8,
                max_entries: 1,
                ..Create::default()
            };
            let takes_a_batch = map_create(&create).and_then(|map| {
                Batch::compare(map.as_raw_fd(), &[], 0, 0..4, &[], 64).send(WHOLE_ATTR).answer
            });
            if takes_a_batch.is_ok() { Self::V3 } else { Self::Rfc }
        })
    }

    /// What it says of a window that differs.
    pub fn differs(self) -> Errno {
        match self {
            Self::Rfc => EBUSY,
            Self::V3 => ESTALE,
        }
    }

    /// What it says of a window of more than 64 bytes that is no part of the value.
    pub fn too_long(self) -> Errno {
        match self {
            Self::Rfc => EINVAL,
            Self::V3 => E2BIG,
        }
    }
}
