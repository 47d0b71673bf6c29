// SPDX-License-Identifier: MIT OR Apache-2.0
//! What has been said of a value: bits that were named, and what they are.

use std::ops::Range;

use crate::layout::{Layout, Place, There};

/// Of a value or a key, the bits that were named.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    bytes: Vec<u8>,
    /// Set where a bit was named.
    mask: Vec<u8>,
    /// What was named, in order.
    named: Vec<(Place, String)>,
}

impl Image {
    /// Nothing is said yet of `size` bytes.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { bytes: vec![0; size], mask: vec![0; size], named: Vec::new() }
    }

    /// All of a run of bytes is said, of `size`.
    #[must_use]
    pub fn of(offset: usize, bytes: &[u8], size: usize) -> Self {
        let mut image = Self::new(size);
        for ((own, mask), byte) in image.bytes.iter_mut().zip(&mut image.mask).skip(offset).zip(bytes) {
            (*own, *mask) = (*byte, 0xff);
        }
        image
    }

    /// Whether every bit was named.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.mask.iter().all(|&mask| mask == 0xff)
    }

    /// These bytes, but for the bits that were named.
    #[must_use]
    pub fn over(&self, bytes: &[u8]) -> Vec<u8> {
        let named = self.bytes.iter().zip(&self.mask);
        bytes.iter().zip(named).map(|(byte, (own, mask))| byte & !mask | own & mask).collect()
    }

    /// Says what the field at `place` is. `bytes` are as many as it has; of a bit-field, its bits where they lie in them.
    ///
    /// # Errors
    /// It lies over another that was named, and contradicts it.
    pub fn put(&mut self, place: Place, path: &str, bytes: &[u8]) -> Result<(), String> {
        for ((at, mask), byte) in place.masks().into_iter().zip(bytes) {
            let (Some(own), Some(own_mask)) = (self.bytes.get_mut(at), self.mask.get_mut(at)) else {
                continue;
            };
            if (*own ^ byte) & *own_mask & mask != 0 {
                let other = self.named.iter().rev().find(|(other, _)| other.range().contains(&at));
                let other = other.map_or("what was named before", |(_, path)| path);
                return Err(format!(
                    "`{other}` and `{path}` lie over each other, and contradict each other: name one of them"
                ));
            }
            *own = *own & !mask | byte & mask;
            *own_mask |= mask;
        }
        self.named.push((place, path.to_owned()));
        Ok(())
    }

    /// How much of it was named.
    #[must_use]
    pub fn has(&self, place: Place) -> There {
        let masks = place.masks();
        if masks.iter().all(|(at, mask)| self.named_of(*at, *mask) == *mask) {
            There::All
        } else if masks.iter().any(|(at, mask)| self.named_of(*at, *mask) != 0) {
            There::Part
        } else {
            There::None
        }
    }

    /// Of these bits of a byte, those that were named.
    fn named_of(&self, at: usize, mask: u8) -> u8 {
        self.mask.get(at).map_or(0, |named| named & mask)
    }

    /// Its bytes, zero where nothing was said, and the runs of bytes of which that is so, at least in part.
    #[must_use]
    pub fn whole(self) -> (Vec<u8>, Vec<Range<usize>>) {
        let assumed = self.unnamed(0..self.bytes.len());
        (self.bytes, assumed)
    }

    /// The run of bytes from the first that was named to the last, and what of it was not named and is no field.
    ///
    /// # Errors
    /// Nothing was named, or a field lies between that was not.
    pub fn window(&self, layout: &Layout) -> Result<Window, String> {
        let range = self.range();
        if range.is_empty() {
            return Err("the JSON names no field".into());
        }
        let unnamed = self.unnamed(range.clone());
        for leaf in layout.leaves(&range) {
            // A member of a union that another was named of is named as far as the other goes.
            let Some(at) = self.first_unnamed(leaf.place, &range) else { continue };
            let before = self.named.iter().map(|(place, path)| (place.range().end, path));
            let before = before.filter(|(end, _)| *end <= at + 1).max_by_key(|(end, _)| *end);
            let after = self.named.iter().map(|(place, path)| (place.offset, path));
            let after = after.filter(|(start, _)| *start >= at).min_by_key(|(start, _)| *start);
            let path = &leaf.path;
            return Err(match (before, after, leaf.place.bits) {
                (Some((end, before)), Some((start, after)), None) if end < start => format!(
                    "`{before}` and `{after}` are {} bytes apart, and a window is one run of bytes: name what lies between as \
                     well (`{path}`), or use --field for one of them, or --offset with bytes",
                    start - end
                ),
                _ => format!(
                    "`{path}` is not named and shares bytes with what is, and a window is whole bytes: name it as well, or \
                     use --offset with bytes"
                ),
            });
        }
        let offset = range.start;
        let expected = self.bytes.get(range).unwrap_or_default().to_vec();
        Ok(Window { offset, expected, assumed: unnamed })
    }

    /// Whether the bytes say what was named.
    #[must_use]
    pub fn holds(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.bytes.len()
            && bytes
                .iter()
                .zip(&self.bytes)
                .zip(&self.mask)
                .all(|((byte, own), mask)| (byte ^ own) & mask == 0)
    }

    /// From the first byte that was named to the last.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let first = self.mask.iter().position(|&mask| mask != 0).unwrap_or(0);
        first..self.mask.iter().rposition(|&mask| mask != 0).map_or(first, |last| last + 1)
    }

    /// The first byte within the range in which a field was not named, all or in part.
    fn first_unnamed(&self, place: Place, range: &Range<usize>) -> Option<usize> {
        let masks = place.masks().into_iter();
        let mut within = masks.filter(|(at, _)| range.contains(at));
        within.find(|(at, mask)| self.named_of(*at, *mask) != *mask).map(|(at, _)| at)
    }

    /// Runs of bytes in which some bit was not named.
    fn unnamed(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for at in range.filter(|&at| self.mask.get(at) != Some(&0xff)) {
            match runs.last_mut() {
                Some(run) if run.end == at => run.end += 1,
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }
}

/// A run of bytes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Bytes from the start of the value.
    pub offset: usize,
    /// What is expected there.
    pub expected: Vec<u8>,
    /// What of it is taken to be zero, since no field lies there.
    pub assumed: Vec<Range<usize>>,
}
