// SPDX-License-Identifier: MIT OR Apache-2.0
//! A syscall program calls a kfunc that compares and deletes under the bucket lock: the system call's own operation.

use super::{Strategy, compare};
use crate::{Form, Runs};

pub(super) const STRATEGY: Strategy = Strategy {
    name: "prog-kfunc",
    about: "a syscall program calls a compare-and-delete kfunc",
    runs: Runs::Program("prog-kfunc", Form::Array),
    grace: false,
    series: Some("kfunc"),
    ..compare::STRATEGY
};
