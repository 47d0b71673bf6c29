// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a collector is to work on, and how.

use std::fmt;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::{Field, Outcome};

/// How entries are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By `BPF_F_COMPARE`, with the field as window.
    Compare,
    /// By a program in the kernel, under the stripe of each key.
    Stripes,
}

/// What a collector is to work on.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "stripes"), allow(dead_code, reason = "some is for collectors in the kernel"))]
pub struct Plan<'a> {
    pub(crate) map: BorrowedFd<'a>,
    pub(crate) field: Field,
    pub(crate) stripes: Option<BorrowedFd<'a>>,
    pub(crate) object: Option<&'a [u8]>,
    pub(crate) only: Option<Means>,
    pub(crate) readers: &'a [u32],
    pub(crate) batch: u32,
    pub(crate) condition: Option<Condition<'a>>,
    pub(crate) progress: Option<Progress<'a>>,
    pub(crate) going: Going<'a>,
}

/// What else has to hold of a key and a value, and which bytes of the value that depends on.
#[derive(Clone, Copy)]
pub(crate) struct Condition<'a> {
    pub(crate) holds: &'a dyn Fn(&[u8], &[u8]) -> bool,
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// There was one before.
    pub(crate) again: bool,
}

impl fmt::Debug for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({}..{})", self.from, self.to)
    }
}

/// Who is told how many entries were looked at.
#[derive(Clone, Copy)]
pub(crate) struct Progress<'a>(pub(crate) &'a dyn Fn(u64));

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// Who is asked whether to go on; nobody, by default.
#[derive(Clone, Copy, Default)]
pub(crate) struct Going<'a>(Option<&'a dyn Fn() -> bool>);

impl Going<'_> {
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_some_and(|goes_on| !goes_on())
    }
}

impl fmt::Debug for Going<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Going")
    }
}

impl<'a> Plan<'a> {
    /// The entries of `map` whose `field` is below a threshold. The fd has to be open for reading and writing.
    #[must_use]
    pub fn new(map: BorrowedFd<'a>, field: Field) -> Self {
        Self {
            map,
            field,
            stripes: None,
            object: None,
            only: None,
            readers: &[],
            batch: 4096,
            condition: None,
            progress: None,
            going: Going::default(),
        }
    }

    /// A second condition for compare-and-delete, one at most, asked of what a look has found: of the key, and of the value, of
    /// which it may depend on the bytes of `window` and on the field alone. They are compared as well, with all that lies between
    /// them and the field: an entry in which an update has changed them since is kept. (A store through a pointer can fall
    /// between the kernel's comparison and its delete, and a window that is no word of the machine can hold half of one. Under
    /// stripes the condition has to be asked in the kernel: [`Self::object`].)
    #[must_use]
    pub fn and(self, window: Range<u32>, holds: &'a dyn Fn(&[u8], &[u8]) -> bool) -> Self {
        let again = self.condition.is_some();
        Self { condition: Some(Condition { holds, from: window.start, to: window.end, again }), ..self }
    }

    /// Has compare-and-delete tell, on the way, how many entries it has looked at in this round.
    #[must_use]
    pub fn progress(self, tell: &'a dyn Fn(u64)) -> Self {
        Self { progress: Some(Progress(tell)), ..self }
    }

    /// Asks before each batch whether to go on, and under stripes before each call of the program. A round that is not to go on
    /// ends there, and says what it has come to.
    #[must_use]
    pub fn goes_on(self, goes_on: &'a dyn Fn() -> bool) -> Self {
        Self { going: Going(Some(goes_on)), ..self }
    }

    /// The table of stripes that the datapath takes (`keep_stripes`). They are used wherever they are given: a compare would do as
    /// well for the entries, but a packet that has begun to replace one may put it back, so that "deleted" would be told of a flow
    /// that goes on.
    #[must_use]
    pub fn stripes(self, stripes: BorrowedFd<'a>) -> Self {
        Self { stripes: Some(stripes), ..self }
    }

    /// Programs, by their ids, that use the map and do nothing but read. Any other that takes none of the stripes is a reason not
    /// to open: it could refresh an entry while that is deleted.
    #[must_use]
    pub fn readers(self, ids: &'a [u32]) -> Self {
        Self { readers: ids, ..self }
    }

    /// A BPF object of your own in the place of this crate's, with a second condition (`include/keep/collector.h`). It is asked
    /// in the kernel, so such a collector works under stripes.
    #[must_use]
    pub fn object(self, object: &'a [u8]) -> Self {
        Self { object: Some(object), ..self }
    }

    /// That way, or not at all.
    #[must_use]
    pub fn only(self, means: Means) -> Self {
        Self { only: Some(means), ..self }
    }

    /// Entries of a snapshot, for compare-and-delete.
    #[must_use]
    pub fn batch(self, entries: u32) -> Self {
        Self { batch: entries.max(1), ..self }
    }
}

/// Who is told of keys.
pub(crate) type Tell<'t> = &'t mut dyn FnMut(&[u8], Outcome);
