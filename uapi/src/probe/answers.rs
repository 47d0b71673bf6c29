// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be asked, what may be answered, and answers that are kept.

use std::io;
use std::sync::OnceLock;

use crate::Error;
use crate::change::Change;

/// How many entries a command is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    One,
    Many,
}

/// What this kernel says of a window that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Differs {
    /// This errno and no other.
    Says(i32),
    /// It could not be seen, for want of the right to make a map: one of the documented two.
    Unseen,
}

impl Differs {
    /// Whether this errno, as a positive number, says so.
    pub(crate) fn is(self, errno: i32) -> bool {
        match self {
            Self::Says(seen) => errno == seen,
            Self::Unseen => DOCUMENTED.contains(&errno),
        }
    }
}

/// What the series have said of a window that differs.
pub(crate) const DOCUMENTED: [i32; 2] = [libc::EBUSY, libc::ESTALE];

/// Answers by what was asked.
#[derive(Clone, Debug)]
pub(crate) struct Answers<T>([OnceLock<T>; 4]);

impl<T: Copy> Answers<T> {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; 4])
    }

    pub(crate) fn once(
        &self,
        change: Change,
        size: Size,
        ask: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let kept = &self.0[2 * usize::from(change == Change::Update) + usize::from(size == Size::Many)];
        match kept.get() {
            Some(&answer) => Ok(answer),
            None => ask().map(|answer| *kept.get_or_init(|| answer)),
        }
    }
}

/// What a map's own refusals have said, asked for once for each [`Map`].
#[derive(Clone, Debug)]
pub(crate) struct OwnAnswers(pub(crate) Answers<Differs>);

impl Default for OwnAnswers {
    fn default() -> Self {
        Self(Answers::new())
    }
}

/// What the kernel said, if it is an errno.
pub(crate) fn errno<T>(answer: io::Result<T>) -> Option<i32> {
    answer.err().and_then(|error| error.raw_os_error())
}
