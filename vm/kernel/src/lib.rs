// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a series of patches to a finished kernel, in the order of the steps: [`series`], [`source`], [`store`], [`apply`],
//! [`worktree`], [`config`], [`build`], [`making`] of what is [`finished`]. Beside them stand Debian's own kernels ([`stock`]), what is made of
//! a kernel's headers ([`bindings`]), its own selftests ([`kselftest`]), and what maintainers look at ([`hygiene`]).
//!
//! It must never know how a kernel is booted here, or what is proved with it.

pub mod apply;
pub mod base;
pub mod bindings;
pub mod build;
pub mod config;
pub mod finished;
pub mod folders;
pub mod fragment;
pub mod hygiene;
pub mod kselftest;
pub mod making;
pub mod patched;
pub mod profile;
pub mod series;
pub mod source;
pub mod sparse;
pub mod stock;
pub mod store;
pub mod toolchain;
pub mod worktree;
