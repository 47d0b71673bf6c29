// SPDX-License-Identifier: MIT OR Apache-2.0
//! The memory that calls point into, and what it should hold: whatever is put there is put into both.

use std::ops::Range;

use anyhow::{Context as _, Result};
use cmpdel_uapi_raw::{Access, Arena, Errno, Form, Place};

use Access::{Closed, Open, Races, ReadOnly};

/// Pages of the arena. Each kind has a neighbour of each other kind, so that something can lie across.
const PAGES: [Access; 19] = [
    Closed, Open, Open, Open, Open, Closed, Open, Open, ReadOnly, Open, Races, Open, Open, Closed, Open,
    Open, ReadOnly, Open, Closed,
];
/// Behind them, for strides of more than 16 bits.
const STRETCH: usize = 34;

/// Where things are unless they are put elsewhere, by the number of the page.
pub const KEYS: u32 = 1;
pub const COMPARE: u32 = 6;
pub const STATUSES: u32 = 11;
pub const ATTR: u32 = 14;
pub const VALUES: u32 = 19;
const _: () = assert!(VALUES as usize == PAGES.len());
/// Pages of each kind, and the page behind an open one that is of another.
pub const RACING: u32 = 10;
pub const READ_ONLY: [u32; 2] = [8, 16];
pub const CLOSED: [u32; 4] = [0, 5, 13, 18];

/// What is where nothing was put: no errno, and no key.
pub const FILL: u8 = 0x55;

/// What becomes of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Fine,
    Faults,
    /// One of the two.
    Races,
}

pub struct Memory {
    arena: Arena,
    /// What it should hold.
    shadow: Vec<u8>,
    /// What is no longer [`FILL`].
    used: Vec<Range<usize>>,
    /// What was there before, of what a model has written since.
    undo: Vec<(usize, Vec<u8>)>,
}

impl Memory {
    pub fn new() -> Result<Self> {
        let pages = [&PAGES[..], &[Open; STRETCH], &[Closed]].concat();
        let mut arena = Arena::new(&pages).context("cannot map memory with holes")?;
        arena.bytes_mut().fill(FILL);
        let shadow = arena.bytes().to_vec();
        Ok(Self { arena, shadow, used: Vec::new(), undo: Vec::new() })
    }

    pub fn page(&self) -> u32 {
        u32::try_from(self.arena.page()).unwrap_or(u32::MAX)
    }

    pub fn len(&self) -> u32 {
        u32::try_from(self.shadow.len()).unwrap_or(u32::MAX)
    }

    /// Puts what a call is to read; where no memory is, nothing.
    pub fn put(&mut self, place: Place, bytes: &[u8]) {
        let Place::At(at) = place else { return };
        let range = self.clip(at as usize, bytes.len());
        let bytes = &bytes[..range.len()];
        self.arena.bytes_mut()[range.clone()].copy_from_slice(bytes);
        self.shadow[range.clone()].copy_from_slice(bytes);
        self.used.push(range);
    }

    /// Puts the attribute to its place.
    pub fn lay(&mut self, form: &Form) {
        let range = self.arena.lay(form);
        self.shadow[range.clone()].copy_from_slice(&self.arena.bytes()[range.clone()]);
        self.used.push(range);
    }

    pub fn told(&self, form: &Form) -> Form {
        self.arena.told(form)
    }

    pub fn send(&mut self, form: &Form, races: bool) -> Result<(), Errno> {
        self.arena.send(form, races)
    }

    fn clip(&self, at: usize, len: usize) -> Range<usize> {
        let start = self.shadow.len().min(at);
        start..self.shadow.len().min(start.saturating_add(len))
    }

    /// What becomes of an access to `len` bytes, `behind` bytes after `place`.
    pub fn reach(&self, place: Place, behind: u64, len: u32, writes: bool) -> Reach {
        if len == 0 {
            return Reach::Fine;
        }
        let Place::At(at) = place else { return Reach::Faults };
        let Some(start) = u64::from(at).checked_add(behind) else { return Reach::Faults };
        let page = u64::from(self.page());
        let last = start.saturating_add(u64::from(len) - 1);
        let mut reach = Reach::Fine;
        for number in start / page..=last / page {
            match self.arena.access(number.saturating_mul(page)) {
                Closed => return Reach::Faults,
                ReadOnly if writes => return Reach::Faults,
                Races => reach = Reach::Races,
                ReadOnly | Open => {}
            }
        }
        reach
    }

    /// What the model reads, where an access is not at fault.
    pub fn read(&self, place: Place, behind: u64, len: u32) -> &[u8] {
        let Place::At(at) = place else { return &[] };
        let start = usize::try_from(u64::from(at).saturating_add(behind)).unwrap_or(usize::MAX);
        &self.shadow[self.clip(start, len as usize)]
    }

    /// What the model writes.
    pub fn write(&mut self, place: Place, behind: u64, bytes: &[u8]) {
        let Place::At(at) = place else { return };
        let start = usize::try_from(u64::from(at).saturating_add(behind)).unwrap_or(usize::MAX);
        let range = self.clip(start, bytes.len());
        self.undo.push((range.start, self.shadow[range.clone()].to_vec()));
        self.shadow[range.clone()].copy_from_slice(&bytes[..range.len()]);
        self.used.push(range);
    }

    /// What the kernel has left at `behind` bytes after `place`.
    pub fn there(&self, place: Place, behind: u64) -> Option<u32> {
        let Place::At(at) = place else { return None };
        let start = usize::try_from(u64::from(at).checked_add(behind)?).ok()?;
        let bytes = self.arena.bytes().get(start..start.checked_add(4)?)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    }

    /// Takes what is there for what should be: of these bytes nothing is promised.
    pub fn accept(&mut self, place: Place, behind: u64, len: u32) {
        let Place::At(at) = place else { return };
        let start = usize::try_from(u64::from(at).saturating_add(behind)).unwrap_or(usize::MAX);
        let range = self.clip(start, len as usize);
        let there = self.arena.bytes()[range].to_vec();
        self.write(place, behind, &there);
    }

    /// What the model has written counts from here on.
    pub fn keep(&mut self) {
        self.undo.clear();
    }

    /// Takes back what the model has written since.
    pub fn take_back(&mut self) {
        while let Some((at, bytes)) = self.undo.pop() {
            self.shadow[at..at + bytes.len()].copy_from_slice(&bytes);
        }
    }

    /// The first byte near what was used that is not as it should be, and what it is.
    pub fn wrong(&self) -> Option<String> {
        const NEAR: usize = 64;
        let ranges =
            self.used.iter().map(|range| self.clip(range.start.saturating_sub(NEAR), range.len() + 2 * NEAR));
        ranges.filter_map(|range| self.wrong_in(range)).next()
    }

    /// The same of all of it.
    pub fn wrong_anywhere(&self) -> Option<String> {
        self.wrong_in(0..self.shadow.len())
    }

    fn wrong_in(&self, range: Range<usize>) -> Option<String> {
        let (there, right) = (&self.arena.bytes()[range.clone()], &self.shadow[range.clone()]);
        if there == right {
            return None;
        }
        let at = there.iter().zip(right).position(|(there, right)| there != right)?;
        let show = |bytes: &[u8]| format!("{:02x?}", &bytes[at..bytes.len().min(at + 4)]);
        Some(format!("memory at {}: {} instead of {}", range.start + at, show(there), show(right)))
    }

    /// For the next call, all is as it was before the first.
    pub fn clear(&mut self) {
        self.undo.clear();
        for range in self.used.drain(..) {
            self.shadow[range.clone()].fill(FILL);
            self.arena.bytes_mut()[range].fill(FILL);
        }
    }

    /// The same after something went wrong.
    pub fn clear_all(&mut self) {
        self.clear();
        self.shadow.fill(FILL);
        self.arena.bytes_mut().fill(FILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_is_as_good_as_the_worst_page_that_it_touches() {
        let memory = Memory::new().unwrap();
        let page = memory.page();
        let end_of = |number: u32, before: u32| Place::At((number + 1) * page - before);
        assert_eq!(memory.reach(end_of(4, 4), 0, 4, true), Reach::Fine);
        assert_eq!(memory.reach(end_of(4, 4), 0, 5, false), Reach::Faults);
        assert_eq!(memory.reach(end_of(4, 4), 1, 4, false), Reach::Faults);
        assert_eq!(memory.reach(end_of(7, 4), 0, 8, false), Reach::Fine);
        assert_eq!(memory.reach(end_of(7, 4), 0, 8, true), Reach::Faults);
        assert_eq!(memory.reach(end_of(9, 4), 0, 8, true), Reach::Races);
        assert_eq!(memory.reach(Place::At(VALUES * page), u64::from(u32::MAX), 1, false), Reach::Faults);
        assert_eq!(memory.reach(Place::Null, 0, 0, true), Reach::Fine);
        assert!(CLOSED.iter().all(|&number| memory.arena.access(u64::from(number * page)) == Closed));
        assert!(READ_ONLY.iter().all(|&number| memory.arena.access(u64::from(number * page)) == ReadOnly));
        assert_eq!(memory.arena.access(u64::from(RACING * page)), Races);
    }

    #[test]
    fn what_a_model_wrote_can_be_taken_back_and_what_the_kernel_wrote_is_seen() {
        let mut memory = Memory::new().unwrap();
        let place = Place::At(STATUSES * memory.page());
        memory.put(place, &[1, 2, 3, 4]);
        assert_eq!(memory.wrong(), None);
        memory.write(place, 2, &[9]);
        assert!(memory.wrong().is_some_and(|wrong| wrong.contains("03") && wrong.contains("09")));
        memory.take_back();
        assert_eq!((memory.wrong(), memory.read(place, 0, 4)), (None, &[1, 2, 3, 4][..]));
        memory.clear();
        assert_eq!(memory.read(place, 0, 4), [FILL; 4]);
        assert_eq!(memory.wrong_anywhere(), None);
    }
}
