// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run tries beside the cells themselves, and what the quick form leaves out.

use approaches::MapKind;
use approaches::cells::{self, Place};

/// The types of map in the quick form.
pub const QUICK_MAPS: [MapKind; 2] = [MapKind::Hash, MapKind::Arena];

/// Real connections through a cell.
pub struct Run {
    /// The cell.
    pub place: Place,
    /// For so long.
    pub seconds: f64,
    /// With a second map.
    pub snat: bool,
}

/// Disciplines and strategies that connections are run through: each side that a datapath has today, and each that the
/// argument is about. `true`: with source NAT mappings as well.
const PAIRS: [(&str, &str, bool); 12] = [
    ("store", "blind", false),
    ("store", "blind", true),
    ("store", "recheck", false),
    ("store", "prog-array", false),
    ("store", "compare", false),
    ("store", "compare", true),
    ("replace", "blind", false),
    ("replace", "recheck", false),
    ("replace", "compare", false),
    ("replace", "compare", true),
    ("half-life", "compare", false),
    ("half-life", "compare", true),
];
/// Those of the quick form.
const QUICK_PAIRS: [(&str, &str, bool); 2] = [("store", "blind", true), ("replace", "compare", true)];

const MAP: MapKind = MapKind::Hash;
const SECONDS: f64 = 10.0;
const QUICK_SECONDS: f64 = 4.0;

/// All runs of connections.
pub fn connections(quick: bool) -> impl Iterator<Item = Run> {
    let (pairs, seconds): (&[_], _) = if quick { (&QUICK_PAIRS, QUICK_SECONDS) } else { (&PAIRS, SECONDS) };
    pairs.iter().flat_map(move |&(refresh, gc, snat)| {
        cells::all()
            .filter(move |place| {
                place.map == MAP && place.refresh.name == refresh && place.gc.to_string() == gc
            })
            .map(move |place| Run { place, seconds, snat })
    })
}
