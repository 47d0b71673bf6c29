// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same program for an array of keys.

use super::{Strategy, prog_mark};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-mark-array",
    about: "the same for an array of keys in one run",
    runs: Runs::Program("prog-mark", Form::Array),
    ..prog_mark::STRATEGY
};
