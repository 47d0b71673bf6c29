// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys.

use super::{Strategy, prog_lock};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-lock-array",
    about: "the same for an array of keys in one run",
    runs: Runs::Program("prog-lock", Form::Array),
    ..prog_lock::STRATEGY
};
