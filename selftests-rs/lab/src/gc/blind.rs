// SPDX-License-Identifier: MIT OR Apache-2.0
//! Delete by key whatever the snapshot has shown to be expired.

use super::{DELETE, FREE, READ_CLOCK, SNAPSHOT, Strategy};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "blind",
    about: "deletes by key (Cilium 1.19)",
    grace: false,
    steps: &[READ_CLOCK, SNAPSHOT, DELETE, FREE],
};
