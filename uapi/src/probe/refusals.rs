// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a kernel with the series refuses, and with which errno. Each call points to a key that cannot be read, so that it changes
//! nothing whatever the kernel makes of the flag. The first is proper but for that: a kernel that knows the flag says `-EFAULT`,
//! one that does not `-EINVAL`. The others keep a kernel that ignores what it does not know from passing for one that knows.

use std::io;

use super::answers::{Size, errno};
use crate::Error;
use crate::bindings::bpf_attr;
use crate::change::Change;
use crate::sys::{self, Batch, Element, UNREADABLE};

/// What a kernel has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// What is documented.
    Documented,
    /// That it knows the flag, and not for this map (`-EOPNOTSUPP`).
    NotForThisMap,
    /// Something else: it does not know the flag, or manages the byte at the window.
    Else,
}

type Spoil = fn(&mut bpf_attr);

const OF_ONE: [(i32, Spoil); 3] = [
    (libc::EFAULT, |_| {}),
    (libc::EINVAL, |attr| attr.__bindgen_anon_2.compare_size = 0),
    (libc::EINVAL, |attr| attr.__bindgen_anon_2.flags = 0),
];

const OF_MANY: [(i32, Spoil); 6] = [
    (libc::EFAULT, |_| {}),
    (libc::EINVAL, |attr| attr.batch.compare_size = 0),
    (libc::EINVAL, |attr| attr.batch.compare_stride = 0),
    (libc::EINVAL, |attr| attr.batch.elem_flags = 0),
    (libc::EINVAL, |attr| attr.batch.flags = 1),
    (libc::EINVAL, |attr| attr.batch.in_batch = UNREADABLE),
];

/// Asks all of it, of a window of the byte at `offset`.
///
/// # Errors
/// [`Error::NoBpf`], [`Error::Permission`]: that bpf(2) or the fd is refused is no answer.
pub(super) fn ask(fd: i32, change: Change, size: Size, offset: u32) -> Result<Said, Error> {
    let value = if change == Change::Update { UNREADABLE } else { 0 };
    let (attr, (command, call), cases): (_, _, &[_]) = match size {
        Size::One => {
            let (key, expected) = (UNREADABLE, UNREADABLE);
            let attr = sys::element_attr(&Element { fd, key, value, expected, offset, size: 1 });
            (attr, change.of_one(), &OF_ONE)
        }
        Size::Many => {
            let attr = sys::batch_attr(&Batch {
                fd,
                keys: UNREADABLE,
                values: value,
                statuses: UNREADABLE,
                count: 1,
                expected: UNREADABLE,
                stride: 1,
                offset,
                size: 1,
            });
            (attr, change.of_many(), &OF_MANY)
        }
    };
    for (documented, spoil) in cases {
        let mut attr = attr;
        spoil(&mut attr);
        // SAFETY: at UNREADABLE this process can have nothing.
        match errno(unsafe { sys::bpf(command, &mut attr) }) {
            Some(said) if said == *documented => {}
            Some(said @ (libc::ENOSYS | libc::EPERM | libc::EACCES)) => {
                return Err(Error::from_os(call, io::Error::from_raw_os_error(said)));
            }
            Some(libc::EOPNOTSUPP) => return Ok(Said::NotForThisMap),
            _ => return Ok(Said::Else),
        }
    }
    Ok(Said::Documented)
}
