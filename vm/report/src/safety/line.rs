// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line of the table: what stands together in it, and which lines take a patch.

use approaches::{Family, Refresh};
use results::races::Cell;

use crate::{catalogue, page::Patch, words::listed};

/// A discipline, the columns of one family that are safe with it, and the maps on which they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// The discipline.
    pub refresh: &'a str,
    /// The family.
    pub family: Option<Family>,
    /// The columns.
    pub gcs: Vec<&'a str>,
    /// The maps.
    pub maps: Vec<&'a str>,
}

impl Line<'_> {
    /// Whether it takes a kernel patch.
    pub fn patch(&self) -> Patch {
        let known = self.family.is_some() && Refresh::named(self.refresh).is_some();
        let patched = self.refresh_series().is_some() || self.gcs.iter().any(|gc| catalogue::is_patched(gc));
        match (known, patched) {
            (false, _) => Patch::Unknown,
            (true, true) => Patch::With,
            (true, false) => Patch::Without,
        }
    }

    /// The series that its datapath takes, if it takes one.
    pub fn refresh_series(&self) -> Option<&'static str> {
        Refresh::named(self.refresh).and_then(|refresh| refresh.series)
    }

    /// Its anchor.
    pub fn id(&self) -> String {
        format!("safe-{}-{}-{}", self.refresh, self.gcs[0].replace('+', "-"), self.maps[0])
    }

    /// Its cells.
    pub fn cells(&self) -> Vec<Cell> {
        let on = |gc: &&str| self.maps.iter().map(|map| Cell::new(self.refresh, gc, map)).collect::<Vec<_>>();
        self.gcs.iter().flat_map(on).collect()
    }

    /// `half-life-stripe with prog-stripe on hash and lru-hash`.
    pub fn words(&self) -> String {
        format!("{} with {} on {}", self.refresh, listed(&self.gcs), listed(&self.maps))
    }
}

/// Those with, or without, a patch; what holds on the most hash maps first.
pub fn of<'l, 'a>(lines: &'l [Line<'a>], patch: Patch) -> Vec<&'l Line<'a>> {
    let hashes = |line: &&Line<'_>| line.maps.iter().filter(|map| catalogue::is_hash(map)).count();
    let mut lines: Vec<&Line<'a>> = lines.iter().filter(|line| line.patch() == patch).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(hashes(line)));
    lines
}
