// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which cells the matrix has, and which of them stand in the model alone.

use results::races::Cell;

use crate::{Column, Family, MapKind, Protocol, Refresh, Since};

/// A cell by its row, its column and its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The refresh discipline.
    pub refresh: Refresh,
    /// The gc strategy, with or without a grace period.
    pub gc: Column,
    /// The map.
    pub map: MapKind,
}

impl Place {
    /// As the evidence names it.
    #[must_use]
    pub fn cell(&self) -> Cell {
        Cell {
            refresh: self.refresh.name.to_owned(),
            gc: self.gc.to_string(),
            map: self.map.name().to_owned(),
        }
    }

    /// The place of a cell, if the catalogue has it.
    #[must_use]
    pub fn of(cell: &Cell) -> Option<Self> {
        let place = Self {
            refresh: Refresh::named(&cell.refresh)?,
            gc: Column::named(&cell.gc)?,
            map: MapKind::named(&cell.map)?,
        };
        place.exists().then_some(place)
    }

    /// A table of another kind goes with its own collector alone.
    fn exists(&self) -> bool {
        let alone = [Protocol::Generations, Protocol::Arena]
            .iter()
            .all(|protocol| (self.refresh.protocol == *protocol) == (self.gc.protocol == *protocol));
        alone && (self.refresh.protocol == Protocol::Arena) == (self.map == MapKind::Arena)
    }

    /// The oldest kernel that has all that it takes.
    #[must_use]
    pub fn since(&self) -> Since {
        self.refresh.since.max(self.gc.since).max(self.map.since())
    }

    /// The series whose kernels alone have what it takes.
    #[must_use]
    pub fn series(&self) -> Option<&'static str> {
        self.refresh.series.or(self.gc.series)
    }

    /// It takes a kernel with some series.
    #[must_use]
    pub fn patched(&self) -> bool {
        self.gc.patched || self.series().is_some()
    }

    /// Why no kernel is asked about it, if none is. A collector of one protocol beside a datapath of another is nothing that
    /// anybody would run; what becomes of it beside a datapath without a protocol shows what its datapath has to do.
    #[must_use]
    pub fn model_alone(&self) -> Option<&'static str> {
        let (datapath, collector) = (self.refresh.protocol, self.gc.protocol);
        let careless = matches!(self.refresh, Refresh::Store | Refresh::Replace);
        // What a collector does that has both: see keep/src/collector.rs.
        let both = self.refresh == Refresh::HalfLifeStripe && self.gc.to_string() == "compare-batch";
        if datapath != Protocol::Plain && self.gc.family.is_proposal() && !both {
            return Some(
                "the proposal asks for no protocol of the datapath's: with this one it is in the model alone",
            );
        }
        if datapath != Protocol::Plain && self.gc.family == Family::Pinned {
            return Some(
                "on the flow's own CPU no protocol is needed: with this one it is in the model alone",
            );
        }
        if self.gc.family == Family::Pinned && !PINNED.contains(&self.refresh) {
            return Some(
                "on the flow's own CPU one discipline is as good as another: this one is in the model alone",
            );
        }
        if self.gc.grace && !GRACE.contains(&self.refresh) {
            return Some(
                "a grace period makes no difference where no packet writes for what it saw: with it, this is in the model alone",
            );
        }
        match collector {
            Protocol::Plain | Protocol::Generations | Protocol::Arena => None,
            _ if datapath == collector => None,
            Protocol::Timer if self.refresh != Refresh::Store => {
                Some("an update makes an element whose timer nobody has set: this is in the model alone")
            }
            _ if careless => None,
            _ => Some(
                "nobody would combine the collector of one protocol with the datapath of another: this is in the model alone",
            ),
        }
    }
}

/// What is tried after a grace period: what Cilium does, and where what a packet saw of a lifetime decides how it writes. With all
/// others the model finds the same with it and without; `tests/grace.rs` holds that.
const GRACE: [Refresh; 4] = [Refresh::Store, Refresh::Due, Refresh::DueTagged, Refresh::DueMark];

/// What is tried with a collector on the flow's own CPU: a store, and updates.
const PINNED: [Refresh; 3] = [Refresh::Store, Refresh::ReplaceChecked, Refresh::HalfLifeChecked];

/// Every cell, row by row.
pub fn all() -> impl Iterator<Item = Place> {
    Refresh::ALL
        .iter()
        .flat_map(|&refresh| Column::all().map(move |gc| (refresh, gc)))
        .flat_map(|(refresh, gc)| MapKind::ALL.map(|map| Place { refresh, gc, map }))
        .filter(Place::exists)
}

/// Whether the kernel called so carries that series: `v3+kfunc` is one with two of them.
#[must_use]
pub fn carries(kernel: &str, series: &str) -> bool {
    kernel.split('+').any(|part| part == series)
}
