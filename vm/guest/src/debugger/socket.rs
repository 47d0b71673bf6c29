// SPDX-License-Identifier: MIT OR Apache-2.0
//! The socket of QEMU's gdb stub, in the run folder. QEMU is started in that folder, so that the socket's path is short
//! wherever it is.

use std::{
    fs::File,
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::remote::Remote;

/// Its name.
const SOCKET: &str = "debugger.sock";

/// What has QEMU listen for a debugger.
pub fn qemu_options() -> Vec<String> {
    vec!["-gdb".into(), format!("unix:{SOCKET},server=on,wait=off")]
}

/// Connects to the guest that uses the folder `run`, which stops it.
///
/// # Errors
/// When QEMU does not answer.
pub fn attach(run: &Path) -> Result<Remote> {
    Remote::greet(connect(run)?)
}

/// By way of the folder's descriptor: the path of a socket has 107 bytes at most.
fn connect(run: &Path) -> Result<UnixStream> {
    let folder = File::open(run).with_context(|| format!("cannot open {}", run.display()))?;
    let socket = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(SOCKET);
    UnixStream::connect(socket).with_context(|| {
        format!("cannot reach QEMU's gdb stub at {}: is -gdb among its options?", run.join(SOCKET).display())
    })
}
