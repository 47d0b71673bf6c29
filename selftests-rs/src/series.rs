// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which version of the series this kernel carries. They differ in several things, and all of them hang on one
//! question here: a kernel that answers some like one version and some like the other fails.

use std::sync::OnceLock;

use cmpdel_uapi_raw::{Batch, Delete, Errno, Ptr, delete_batch, delete_elem};
use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::Func;

use crate::errno::{EAGAIN, EBADF, EBUSY, EINVAL};
use crate::fixture::WHOLE_ATTR;

/// A version of the series. Meant for a kernel that carries one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// As posted: the hash alone, one entry at a time, and `-EBUSY` for a window that differs.
    First,
    /// With LRU hash and batches, and `-EAGAIN` for a window that differs.
    Second,
}

impl Series {
    /// The second version knows the fields of a batch and goes on to the fd, which cannot exist. The first refuses bytes
    /// that it does not know. There is nothing to delete for either.
    pub fn of_this_kernel() -> Self {
        static ANSWER: OnceLock<Series> = OnceLock::new();
        *ANSWER.get_or_init(|| {
            let nothing =
                Batch { values: Ptr::Null, keys: Ptr::Null, ..Batch::compare(-1, &[], &[], 1, 0..1) };
            match delete_batch(&nothing, WHOLE_ATTR).answer {
                Err(EBADF) => Self::Second,
                _ => Self::First,
            }
        })
    }

    /// What it says of a window that differs.
    pub fn differs(self) -> Errno {
        match self {
            Self::First => EBUSY,
            Self::Second => EAGAIN,
        }
    }
}

/// Whether the series of this kernel gives the operation to programs alone, as a kfunc: bpf(2) then answers as on the
/// base. No other series has that function, so a broken one is not taken for it.
pub fn is_for_programs_alone() -> bool {
    let has_kfunc = || {
        let btf = Btf::from_vmlinux().ok()?;
        btf.type_by_name::<Func<'_>>("bpf_map_compare_and_delete_elem").map(|_| ())
    };
    delete_elem(&Delete::compare(-1, &[0], 0, &[0]), WHOLE_ATTR) == Err(EINVAL) && has_kfunc().is_some()
}
