// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bpf/contract.h`, as bindgen makes it: its types and constants, and again, as structs of atomics, those that are shared with
//! a running program.

// The names are C's.
#![allow(non_camel_case_types, missing_docs, dead_code, clippy::all, reason = "made by bindgen")]

include!(concat!(env!("OUT_DIR"), "/contract.rs"));

/// What programs and user space look at at the same time.
pub mod shared {
    include!(concat!(env!("OUT_DIR"), "/shared.rs"));
}
