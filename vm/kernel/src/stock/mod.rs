// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian's own binary kernels, as people run them: not built here, not patched, with a distribution's configuration. They
//! come from the archive with its signature checked and are unpacked in the cache. Nothing is installed, and nobody's
//! `/lib/modules` is written to: virtme-ng takes a kernel's modules from beside its image, and in the guest they are a link
//! under `/lib/modules`.

mod busybox;
mod choose;
mod fetch;
mod layout;
mod lines;
mod needs;
mod report;
mod version;

pub use self::{
    fetch::get,
    layout::{APPEND, Stock, UNUSED},
    lines::{Line, lines, named},
};
