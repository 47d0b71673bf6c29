// SPDX-License-Identifier: MIT OR Apache-2.0
//! The word of a slot: lifetime (32 bits), generation (30), state (2), as in `bpf/arena.h`.

/// What a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing in it.
    Free,
    /// A creator writes its key.
    Busy,
    /// An entry.
    Live,
}

/// A word as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u64);

/// One generation.
const GENERATION: u32 = 1 << 2;
/// Where the state is.
const STATE: u32 = GENERATION - 1;

impl Word {
    /// The state; of bits that no one writes, busy: hands off.
    pub fn state(self) -> State {
        match self.low() & STATE {
            0 => State::Free,
            2 => State::Live,
            _ => State::Busy,
        }
    }

    /// The lifetime.
    pub fn lifetime(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether there is an entry that had expired before `now`.
    pub fn is_expired(self, now: u32) -> bool {
        self.state() == State::Live && self.lifetime() < now
    }

    /// The slot without its entry, in the next generation: who still has the word of the entry swaps in vain.
    pub fn removed(self) -> Self {
        Self((self.low() & !STATE).wrapping_add(GENERATION).into())
    }

    /// As a creator publishes it, and a refresh leaves it.
    pub fn live(self, lifetime: u32) -> Self {
        Self(u64::from(lifetime) << 32 | u64::from(self.low() & !STATE) | 2)
    }

    /// As a creator takes it.
    pub fn claimed(self) -> Self {
        Self(u64::from((self.low() & !STATE).wrapping_add(GENERATION)) | 1)
    }

    /// Generation and state.
    #[allow(clippy::cast_possible_truncation)]
    fn low(self) -> u32 {
        self.0 as u32
    }
}

#[cfg(test)]
impl Word {
    fn generation(self) -> u32 {
        self.low() / GENERATION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_takes_two_generations() {
        let free = Word(0);
        let busy = free.claimed();
        let live = busy.live(70_000);
        assert_eq!([free, busy, live].map(Word::state), [State::Free, State::Busy, State::Live]);
        assert_eq!((live.lifetime(), live.generation()), (70_000, 1));
        let freed = live.removed();
        assert_eq!((freed.state(), freed.lifetime(), freed.generation()), (State::Free, 0, 2));
    }

    #[test]
    fn a_refresh_changes_the_lifetime_alone() {
        let live = Word(0).claimed().live(5);
        let refreshed = live.live(u32::MAX);
        assert_eq!((refreshed.lifetime(), refreshed.generation()), (u32::MAX, live.generation()));
        assert_eq!(refreshed.live(5), live);
    }

    #[test]
    fn only_entries_expire_and_only_after_their_time() {
        let live = Word(0).claimed().live(5);
        assert!(!live.is_expired(5));
        assert!(live.is_expired(6));
        assert!(!live.removed().is_expired(6));
        assert!(!Word(0).claimed().is_expired(6));
    }

    #[test]
    fn generations_begin_anew_without_touching_state_or_lifetime() {
        let last = Word(u64::from(!STATE));
        assert_eq!(last.generation(), (1 << 30) - 1);
        let live = last.claimed().live(9);
        assert_eq!((live.generation(), live.state(), live.lifetime()), (0, State::Live, 9));
        assert_eq!(Word(0).live(9).0, live.0);
        let oldest = last.live(9).removed();
        assert_eq!((oldest.generation(), oldest.state(), oldest.lifetime()), (0, State::Free, 0));
    }
}
