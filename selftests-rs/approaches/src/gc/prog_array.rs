// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys: per key nothing changes but the price.

use super::{Strategy, prog};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-array",
    about: "the same for an array of keys in one run",
    runs: Runs::Program("prog", Form::Array),
    grace: false,
    ..prog::STRATEGY
};
