// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which cells the matrix has.

use model::Recycling;
use results::races::Cell;

use crate::gc::{self, Strategy};
use crate::refresh::{self, Discipline};

/// Neither side works with anything but itself.
const ALONE: [&str; 2] = ["seal", "arena"];

/// The maps of the matrix, with what becomes of their unlinked elements.
pub const MAPS: [(&str, Recycling); 4] = [
    ("hash", Recycling::Parked),
    ("hash-no-prealloc", Recycling::AtOnce),
    ("lru-hash", Recycling::AtOnce),
    ("arena", Recycling::Slots),
];

/// A cell with its row and column.
#[derive(Clone, Copy)]
pub struct Place {
    /// The refresh discipline.
    pub discipline: &'static Discipline,
    /// The gc strategy.
    pub strategy: &'static Strategy,
    /// The map's name.
    pub map: &'static str,
    /// The map's way with unlinked elements.
    pub recycling: Recycling,
}

impl Place {
    /// As the evidence names it.
    #[must_use]
    pub fn cell(&self) -> Cell {
        Cell {
            refresh: self.discipline.name.to_owned(),
            gc: self.strategy.full_name(),
            map: self.map.to_owned(),
        }
    }

    fn exists(&self) -> bool {
        let (refresh, gc) = (self.discipline.name, self.strategy.name);
        let alone = ALONE.iter().all(|&name| (refresh == name) == (gc == name));
        alone && (refresh == "arena") == (self.map == "arena")
    }
}

/// Every cell, row by row.
pub fn all() -> impl Iterator<Item = Place> {
    refresh::ALL
        .iter()
        .flat_map(|discipline| gc::ALL.iter().map(move |strategy| (discipline, strategy)))
        .flat_map(|(discipline, strategy)| {
            MAPS.map(|(map, recycling)| Place { discipline, strategy, map, recycling })
        })
        .filter(Place::exists)
}
