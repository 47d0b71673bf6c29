// SPDX-License-Identifier: MIT OR Apache-2.0
//! A collector of one map: which way it goes is decided once, by its plan.

use std::os::fd::OwnedFd;

use cmpdel_uapi::{Map, map_type_name};

use crate::compare::Compare;
use crate::plan::{Condition, Means, Plan, Tell};
#[cfg(feature = "stripes")]
use crate::striped::Striped;
use crate::{Error, Field, Outcome, Round};

impl<'a> Plan<'a> {
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
