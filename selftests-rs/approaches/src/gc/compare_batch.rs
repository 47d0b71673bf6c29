// SPDX-License-Identifier: MIT OR Apache-2.0
//! `BPF_F_COMPARE` for a whole snapshot: the bucket lock is taken once a key, so per key nothing changes but the price.

use super::{Strategy, compare};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "compare-batch",
    about: "BPF_F_COMPARE for a whole snapshot in one call",
    ..compare::STRATEGY
};
