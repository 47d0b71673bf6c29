// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a kernel's image to what a guest with it showed: virtme-ng and its environment, KVM or TCG, the boot, the watch,
//! the channel of results, the verdict on tests, reports of the kernel on its console, and a debugger beside it.
//!
//! It must never know how a kernel was made, which series it carries, or what the programs in it prove: names of kernels
//! and of programs come from who boots. Nor the command line.

pub mod accel;
pub mod beside;
pub mod boot;
pub mod channel;
pub mod course;
pub mod debugger;
pub mod folder;
pub mod kmsg;
pub mod leaks;
pub mod listener;
pub mod machine;
pub mod monitor;
pub mod pyenv;
pub mod splat;
pub mod test_run;
pub mod verdict;
pub mod waiting;
pub mod watch;
