// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much of everything is tried: in full, as part of the tests, and on the kernel of whoever wants to see for himself.

use anyhow::Result;
use approaches::{Column, Family, MapKind, Place, Protocol, Refresh};
use results::races::Circumstance;

use crate::layout::LANES;
use crate::stress::Plan;

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every cell.
    Full,
    /// In the time that tests have.
    Quick,
    /// In a minute or two, natively.
    Here,
    /// The same for as long as a tight bound takes.
    Long,
}

/// CPUs that a run uses: there are lanes for so many, and numbers for their flows.
///
/// # Errors
/// When the machine does not tell how many it has.
pub fn cpus() -> Result<usize> {
    Ok(crate::cpus::count()?.min(LANES))
}

impl Extent {
    /// Whether the cell is tried, which is `clean` in the model.
    pub fn has(self, place: &Place, clean: bool) -> bool {
        let today = place.gc.family == Family::Today && !place.gc.grace;
        match self {
            Self::Full => true,
            // Rows and columns that are the point; one of each form.
            Self::Quick => place.map == MapKind::Hash && (clean || today) || place.map == MapKind::Arena,
            // Of what loses: plain datapaths beside what is done today or named in the reply, and careless ones beside each
            // collector.
            Self::Here | Self::Long => {
                let plain = place.refresh.protocol == Protocol::Plain
                    && matches!(place.gc.family, Family::Today | Family::Program);
                clean
                    || place.map == MapKind::Hash
                        && !place.gc.grace
                        && (plain || place.refresh == Refresh::Store)
            }
        }
    }

    /// Why a cell is not tried.
    pub fn why_not(self) -> &'static str {
        match self {
            Self::Full => "left out",
            Self::Quick => "left out of the quick form: run `cargo xtask races` for it",
            Self::Here | Self::Long => {
                "left to `cargo xtask races`: here, cells that lose run on one type of map"
            }
        }
    }

    /// For how long.
    pub fn plan(self, clean: bool) -> Plan {
        match (self, clean) {
            (Self::Full, true) => Plan::FULL,
            (Self::Quick, true) => Plan::QUICK,
            (Self::Here, true) => Plan::HERE,
            (Self::Long, true) => Plan::LONG,
            // The witness shows it, and a rate is one on real CPUs alone.
            (Self::Full | Self::Quick | Self::Here, false) => Plan::GLANCE,
            (Self::Long, false) => Plan::SHOW,
        }
    }

    /// Replays of each counter-example.
    pub fn replays(self) -> u32 {
        match self {
            Self::Full | Self::Long => 10,
            Self::Quick | Self::Here => 2,
        }
    }

    /// What else a cell in which nothing goes wrong is tried under.
    pub fn circumstances(self, place: &Place) -> Vec<Circumstance> {
        let maps: &[MapKind] = match self {
            Self::Full | Self::Long => &[MapKind::Hash, MapKind::LruHash],
            Self::Quick | Self::Here => &[],
        };
        let all = Circumstance::ALL.into_iter();
        // Nobody collects where entries remove themselves, and an agent would make them without a timer.
        let alone = place.gc.protocol == Protocol::Timer;
        let other_table = matches!(place.refresh.protocol, Protocol::Arena | Protocol::Generations);
        all.filter(|circumstance| {
            maps.contains(&place.map)
                && !other_table
                && (!alone || matches!(circumstance, Circumstance::Spread | Circumstance::HandDeletes))
                && (*circumstance != Circumstance::Collision || place.refresh.tagged)
        })
        .collect()
    }
}

/// Real connections through a cell.
pub struct Run {
    /// The cell.
    pub place: Place,
    /// For so long.
    pub seconds: f64,
    /// With a second map.
    pub snat: bool,
}

/// Disciplines and strategies that connections are run through: each side that a datapath has today, and the best form of
/// each answer. `true`: with source NAT mappings as well.
const PAIRS: [(Refresh, &str, bool); 17] = [
    (Refresh::Store, "blind", false),
    (Refresh::Store, "blind", true),
    (Refresh::Store, "recheck", false),
    (Refresh::Store, "prog-array", false),
    (Refresh::Store, "compare", false),
    (Refresh::Store, "compare", true),
    (Refresh::Replace, "blind", false),
    (Refresh::ReplaceChecked, "compare", false),
    (Refresh::ReplaceChecked, "compare", true),
    (Refresh::ReplaceCompared, "compare", false),
    (Refresh::ReplaceCompared, "prog-kfunc", true),
    (Refresh::HalfLifeChecked, "compare", false),
    (Refresh::HalfLifeStripe, "prog-stripe-array", false),
    (Refresh::HalfLifeStripe, "prog-stripe-array", true),
    (Refresh::HalfLifeStripe, "iter-stripe", false),
    (Refresh::LockTagged, "prog-lock-array", false),
    (Refresh::CasTagged, "prog-mark-array", false),
];
/// Those of the quick form.
const QUICK: [(Refresh, &str, bool); 2] =
    [(Refresh::Store, "blind", true), (Refresh::HalfLifeStripe, "prog-stripe-array", true)];
/// Those that show it natively.
const HERE: [(Refresh, &str, bool); 3] = [
    (Refresh::Store, "blind", false),
    (Refresh::Store, "prog-array", false),
    (Refresh::HalfLifeStripe, "prog-stripe-array", false),
];

/// All runs of connections.
pub fn connections(extent: Extent) -> impl Iterator<Item = Run> {
    let (pairs, seconds): (&[_], _) = match extent {
        Extent::Full => (&PAIRS, 6.0),
        Extent::Long => (&PAIRS, 20.0),
        Extent::Quick => (&QUICK, 4.0),
        Extent::Here => (&HERE, 4.0),
    };
    pairs.iter().filter_map(move |&(refresh, gc, snat)| {
        let place = Place { refresh, gc: Column::named(gc)?, map: MapKind::Hash };
        Some(Run { place, seconds, snat })
    })
}
