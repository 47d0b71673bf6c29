// SPDX-License-Identifier: MIT OR Apache-2.0
//! One module a command, each with one `run`.

pub mod bench;
pub mod bindings;
pub mod calibrate;
pub mod ci;
pub mod clean;
pub mod doctor;
pub mod drill;
pub mod keep;
pub mod kselftest;
pub mod mutants;
pub mod patches;
pub mod races;
pub mod report;
pub mod shell;
pub mod soak;
pub mod time;
pub mod vm_test;
