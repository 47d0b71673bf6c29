// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same on a walk in the kernel: a look without the lock first, since most entries are live.

use super::prog_stripe::{self, STRIPED_DELETE, STRIPED_JUDGE, STRIPED_LOOK_UP};
use super::{COPY_KEY, DROP_STRIPE, FREE, PEEK, READ_CLOCK, Strategy, TAKE_STRIPE, VISIT};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "iter-stripe",
    about: "a walk in the kernel takes the stripe lock of what has expired, looks up again, compares and deletes",
    steps: &[
        READ_CLOCK,
        VISIT,
        COPY_KEY,
        PEEK,
        TAKE_STRIPE,
        STRIPED_LOOK_UP,
        STRIPED_JUDGE,
        STRIPED_DELETE,
        FREE,
        DROP_STRIPE,
    ],
    runs: Runs::Program("iter-stripe", Form::Walk),
    ..prog_stripe::STRATEGY
};
