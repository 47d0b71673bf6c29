// SPDX-License-Identifier: MIT OR Apache-2.0
//! The error numbers of the contract.

use cmpdel_uapi_raw::Errno;

pub const E2BIG: Errno = Errno(libc::E2BIG);
/// The second version of the series says so of a window that differs.
pub const EAGAIN: Errno = Errno(libc::EAGAIN);
pub const EBADF: Errno = Errno(libc::EBADF);
/// The first says so.
pub const EBUSY: Errno = Errno(libc::EBUSY);
/// The status of an element that a batch did not come to.
pub const ECANCELED: Errno = Errno(libc::ECANCELED);
pub const EFAULT: Errno = Errno(libc::EFAULT);
pub const EINVAL: Errno = Errno(libc::EINVAL);
pub const ENOENT: Errno = Errno(libc::ENOENT);
/// The kernel's own: no header of user space has it.
pub const ENOTSUPP: Errno = Errno(524);
pub const EOPNOTSUPP: Errno = Errno(libc::EOPNOTSUPP);
pub const EPERM: Errno = Errno(libc::EPERM);
