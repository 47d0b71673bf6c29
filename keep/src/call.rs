// SPDX-License-Identifier: MIT OR Apache-2.0
//! `include/keep/call.h`, as bindgen makes it.

#![allow(non_camel_case_types, dead_code, missing_docs, clippy::all, unused_qualifications)]

include!(concat!(env!("OUT_DIR"), "/call.rs"));
