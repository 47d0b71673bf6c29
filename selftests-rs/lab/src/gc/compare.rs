// SPDX-License-Identifier: MIT OR Apache-2.0
//! `BPF_F_COMPARE`, one call a key.

use super::{COMPARE, FREE, READ_CLOCK, SNAPSHOT, Strategy, UNLINK};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "compare",
    about: "BPF_F_COMPARE, one call a key",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, COMPARE, UNLINK, FREE],
};
