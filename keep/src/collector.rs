// SPDX-License-Identifier: MIT OR Apache-2.0
//! A collector of one map: which way it goes is decided once.

use std::fmt;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};

use cmpdel_uapi::{Map, map_type_name};

use crate::compare::Compare;
#[cfg(feature = "stripes")]
use crate::striped::Striped;
use crate::{Error, Field, Outcome, Round};

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

    /// Decides on the way, and has everything ready for rounds. Nothing is deleted.
    ///
    /// # Errors
    /// [`Error::Field`]; [`Error::MapType`]; without stripes, what the kernel says of compare-and-delete; with them, a program that
    /// takes none ([`Error::Unstriped`]), and all that keeps a program from being loaded.
    pub fn open(self) -> Result<Collector<'a>, Error> {
        let map = Map::new(self.map)?;
        let info = map.info();
        let Field { offset, size, .. } = self.field;
        if !self.field.fits(info.value_size) {
            return Err(Error::Field { offset, size, value_size: info.value_size });
        }
        let striped = self.stripes.is_some() || self.object.is_some();
        if self.condition.is_some_and(|condition| condition.again) {
            return Err(Error::Load("it was given two second conditions: put both into one".into()));
        }
        if let Some(Condition { from, to, .. }) = self.condition
            && (from > to || to > info.value_size)
        {
            let value_size = info.value_size;
            return Err(Error::Field { offset: from, size: to.saturating_sub(from), value_size });
        }
        if self.condition.is_some() && (striped || self.only == Some(Means::Stripes)) {
            return Err(Error::Load(
                "its second condition would be asked before the stripe is held: give it in C, as an object"
                    .into(),
            ));
        }
        match self.only {
            Some(Means::Compare) if self.object.is_some() => Err(Error::Load(
                "its condition is asked in the kernel, which compare-and-delete does not do".into(),
            )),
            Some(Means::Stripes) => self.open_striped(&map),
            None if striped => self.open_striped(&map),
            _ => {
                let key_size = info.key_size;
                let way = Way::Compare(Compare::open(map, &self)?);
                Ok(Collector { way, key_size })
            }
        }
    }

    #[cfg(feature = "stripes")]
    fn open_striped(self, map: &Map<'a>) -> Result<Collector<'a>, Error> {
        let kind = map_type_name(map.info().map_type);
        if !["hash", "lru_hash", "rhash"].contains(&kind) {
            return Err(Error::MapType(kind));
        }
        let way = Way::Striped(Striped::open(self, map.info())?);
        Ok(Collector { way, key_size: map.info().key_size })
    }

    #[cfg(not(feature = "stripes"))]
    fn open_striped(self, map: &Map<'a>) -> Result<Collector<'a>, Error> {
        Err(Error::Load(format!(
            "this was built without stripes (a map of type {}): build it with the feature `stripes`",
            map_type_name(map.info().map_type)
        )))
    }
}

/// A collector of one map.
pub struct Collector<'a> {
    way: Way<'a>,
    key_size: u32,
}

enum Way<'a> {
    Compare(Compare<'a>),
    #[cfg(feature = "stripes")]
    Striped(Striped<'a>),
}

impl Collector<'_> {
    /// How it deletes.
    #[must_use]
    pub fn means(&self) -> Means {
        match &self.way {
            Way::Compare(_) => Means::Compare,
            #[cfg(feature = "stripes")]
            Way::Striped(_) => Means::Stripes,
        }
    }

    /// Whether the kernel is given many entries at a time.
    #[must_use]
    pub fn is_batched(&self) -> bool {
        match &self.way {
            Way::Compare(compare) => compare.is_batched(),
            #[cfg(feature = "stripes")]
            Way::Striped(_) => true,
        }
    }

    /// Deletes each entry whose field is below `threshold`, and tells of each that was not live.
    ///
    /// # Errors
    /// What the kernel says. What was told until then is true.
    pub fn round(&mut self, threshold: i128, mut tell: impl FnMut(&[u8], Outcome)) -> Result<Round, Error> {
        self.run(threshold, false, Some(&mut tell))
    }

    /// The same in numbers alone: cheaper on large maps.
    ///
    /// # Errors
    /// As of [`Self::round`].
    pub fn round_counted(&mut self, threshold: i128) -> Result<Round, Error> {
        self.run(threshold, false, None)
    }

    /// Looks, and deletes nothing.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn look(&mut self, threshold: i128, mut tell: impl FnMut(&[u8], Outcome)) -> Result<Round, Error> {
        self.run(threshold, true, Some(&mut tell))
    }

    /// The same in numbers alone.
    ///
    /// # Errors
    /// As of [`Self::look`].
    pub fn look_counted(&mut self, threshold: i128) -> Result<Round, Error> {
        self.run(threshold, true, None)
    }

    /// The same of the entries of these keys alone, without a walk: of what hangs on entries that are gone, as a NAT mapping on
    /// its connection. It tells of each key; what it counts as expired is what it deleted.
    ///
    /// # Errors
    /// A key of another size; else as of [`Self::round`].
    pub fn round_listed<'k>(
        &mut self,
        threshold: i128,
        keys: impl IntoIterator<Item = &'k [u8]>,
        mut tell: impl FnMut(&[u8], Outcome),
    ) -> Result<Round, Error> {
        let (mut listed, expected) = (Vec::new(), self.key_size);
        for key in keys {
            let given = key.len();
            if u32::try_from(given) != Ok(expected) {
                return Err(cmpdel_uapi::Error::KeySize { given, expected }.into());
            }
            listed.extend_from_slice(key);
        }
        match &mut self.way {
            Way::Compare(compare) => compare.listed(threshold, &listed, &mut tell),
            #[cfg(feature = "stripes")]
            Way::Striped(striped) => striped.listed(threshold, &listed, &mut tell),
        }
    }

    /// A map of the object that [`Plan::object`] gave, by its name: what its condition reads or writes.
    #[must_use]
    #[cfg_attr(not(feature = "stripes"), allow(unused_variables, reason = "its only way has no object"))]
    pub fn map(&self, name: &str) -> Option<OwnedFd> {
        match &self.way {
            Way::Compare(_) => None,
            #[cfg(feature = "stripes")]
            Way::Striped(striped) => striped.map_fd(name),
        }
    }

    fn run(&mut self, threshold: i128, dry: bool, tell: Option<Tell<'_>>) -> Result<Round, Error> {
        match &mut self.way {
            Way::Compare(compare) => compare.round(threshold, dry, tell),
            #[cfg(feature = "stripes")]
            Way::Striped(striped) => striped.round(threshold, dry, tell),
        }
    }
}

/// Who is told of keys.
pub(crate) type Tell<'t> = &'t mut dyn FnMut(&[u8], Outcome);
