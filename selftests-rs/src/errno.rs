// SPDX-License-Identifier: MIT OR Apache-2.0
//! The error numbers of the contract.

use cmpdel_uapi_raw::Errno;

pub const E2BIG: Errno = Errno(libc::E2BIG);
pub const EBADF: Errno = Errno(libc::EBADF);
/// What the series `rfc` says of a window that differs.
pub const EBUSY: Errno = Errno(libc::EBUSY);
pub const EEXIST: Errno = Errno(libc::EEXIST);
pub const EFAULT: Errno = Errno(libc::EFAULT);
pub const EINVAL: Errno = Errno(libc::EINVAL);
pub const ENOENT: Errno = Errno(libc::ENOENT);
/// The kernel's own: no header of user space has it.
pub const ENOTSUPP: Errno = Errno(524);
pub const EOPNOTSUPP: Errno = Errno(libc::EOPNOTSUPP);
pub const EPERM: Errno = Errno(libc::EPERM);
/// What the series says of a window that differs.
pub const ESTALE: Errno = Errno(libc::ESTALE);
