// SPDX-License-Identifier: MIT OR Apache-2.0
//! What all tests on this kernel begin with: a map, or the reason why there is none.

use std::os::fd::OwnedFd;

use cmpdel_uapi_raw::Errno;

/// The map that was made; where this process may make none, the reason on standard error.
pub fn made(map: Result<OwnedFd, Errno>) -> Option<OwnedFd> {
    match map {
        Ok(fd) => Some(fd),
        Err(errno @ Errno(libc::EPERM | libc::ENOSYS)) => {
            eprintln!("skipped: this process may not make BPF maps ({errno})");
            None
        }
        Err(errno) => panic!("BPF_MAP_CREATE: {errno}"),
    }
}
