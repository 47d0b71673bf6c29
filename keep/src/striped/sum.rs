// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the calls of a round have come to, together.

use std::mem::offset_of;

use super::u64_at;
use crate::call::{self, keep_call};
use crate::{Error, Round};

/// What calls have come to.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) round: Round,
    errors: u64,
    errno: i64,
}

impl Sum {
    /// Adds what a call has come to, which deleted so many.
    pub(super) fn add(&mut self, call: &[u8]) -> u64 {
        let fate = |fate: u32| u64_at(call, offset_of!(keep_call, fates) + 8 * fate as usize);
        let deleted = fate(call::KEEP_DELETED);
        self.round.deleted += deleted;
        self.round.kept += fate(call::KEEP_KEPT);
        self.round.absent += fate(call::KEEP_ABSENT);
        self.round.busy += fate(call::KEEP_BUSY);
        self.errors += fate(call::KEEP_ERROR);
        if fate(call::KEEP_ERROR) > 0 {
            self.errno = u64_at(call, offset_of!(keep_call, err)).cast_signed().saturating_neg();
        }
        deleted
    }

    /// The round, or why it was not whole, with what was done until then.
    pub(super) fn end(self, ended: Result<(), Error>) -> Result<Round, Error> {
        if self.errors > 0 {
            return Err(Error::Delete { count: self.errors, errno: self.errno, round: self.round });
        }
        match ended {
            Ok(()) => Ok(self.round),
            Err(error) if self.round == Round::default() => Err(error),
            Err(Error::Stuck(round)) => Err(Error::Stuck(round)),
            Err(error) => Err(Error::Partly { error: Box::new(error), round: self.round }),
        }
    }
}
