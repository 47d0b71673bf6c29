// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same on a walk in the kernel, without a snapshot.

use super::{CAS_MARK, CAS_UNMARK, COPY_KEY, DELETE_OR_UNMARK, FREE_MARKED, READ_CLOCK, READ_WORD, Strategy, VISIT, prog_mark};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "iter-mark",
    about: "a walk in the kernel marks dead by compare-and-swap, then deletes what it has marked",
    steps: &[READ_CLOCK, VISIT, COPY_KEY, READ_WORD, CAS_MARK, DELETE_OR_UNMARK, FREE_MARKED, CAS_UNMARK],
    runs: Runs::Program("iter-mark", Form::Walk),
    ..prog_mark::STRATEGY
};
