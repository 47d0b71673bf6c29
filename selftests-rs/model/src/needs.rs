// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of an actor's memory a program may still need at each of its steps. The rest is forgotten, so that states that differ
//! in nothing else are one, and no element is kept apart for a pointer that nobody follows.

use crate::dsl::Op;
use crate::map::NONE;
use crate::state::Actor;

/// The pointer.
pub(crate) const POINTER: u8 = 1;
/// The copied lifetime, or the number of the previous map.
pub(crate) const COPY: u8 = 2;
/// The copied state and tag.
pub(crate) const VALUE: u8 = 4;

/// What a step reads.
pub(crate) fn reads(op: Op) -> u8 {
    match op {
        Op::LookUpChecked => POINTER | VALUE,
        Op::LookUpAgain
        | Op::Judge
        | Op::JudgeTagged
        | Op::JudgeHalf
        | Op::CopyValue
        | Op::CopyKey
        | Op::Store
        | Op::LockedStore
        | Op::LockedStoreTagged
        | Op::LockedMark
        | Op::LockedUnmark
        | Op::Exchange
        | Op::ReadWord
        | Op::TakeStripe
        | Op::DropPrevious => POINTER,
        Op::CasStore | Op::CasMark | Op::CasUnmark | Op::CasRefresh | Op::CasRemove => POINTER | COPY,
        Op::Replace => VALUE,
        Op::Restore | Op::CompareValue => COPY | VALUE,
        Op::Compare | Op::Free | Op::LookUpPrevious => COPY,
        _ => 0,
    }
}

/// What a step writes anew, whatever its outcome.
pub(crate) fn writes(op: Op) -> u8 {
    match op {
        Op::LookUp | Op::Fire => POINTER,
        Op::CopyValue => COPY | VALUE,
        Op::ReadPrevious => COPY,
        _ => 0,
    }
}

impl Actor {
    /// Keeps what is needed.
    pub(crate) fn forget(&mut self, needs: u8) {
        use crate::element::Key::A;
        if needs & POINTER == 0 {
            self.pointer = NONE;
        }
        if needs & COPY == 0 {
            self.copy = NONE;
        }
        if needs & VALUE == 0 {
            (self.tag, self.backend, self.dead) = (A, A, false);
        }
    }
}
