// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same on a walk in the kernel, without a snapshot: a look without the lock first, since most entries are live.

use super::{COPY_KEY, DELETE_OR_UNMARK, FREE_MARKED, LOCKED_MARK, LOCKED_UNMARK, PEEK, READ_CLOCK, Strategy, VISIT, prog_lock};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "iter-lock",
    about: "a walk in the kernel compares and marks dead under bpf_spin_lock, then deletes what it has marked",
    steps: &[READ_CLOCK, VISIT, COPY_KEY, PEEK, LOCKED_MARK, DELETE_OR_UNMARK, FREE_MARKED, LOCKED_UNMARK],
    runs: Runs::Program("iter-lock", Form::Walk),
    ..prog_lock::STRATEGY
};
