// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a collector could not be opened, or a round did not come to its end.

use crate::Round;

/// Why a collector could not be opened, or a round did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The field is no integer within the values of the map.
    #[error(
        "an integer of {size} bytes at offset {offset} does not fit values of {value_size} bytes: 1, 2, 4 or 8 bytes within the value do"
    )]
    Field {
        /// Bytes from the start of the value.
        offset: u32,
        /// Bytes.
        size: u32,
        /// Bytes in a value of this map.
        value_size: u32,
    },
    /// The map is of a type that no collector of this crate works on.
    #[error("a map of type {0} has no entries that expire one by one: hash, lru_hash and rhash have")]
    MapType(&'static str),
    /// The keys are longer than a collector can hold on its stack.
    #[error("keys of {0} bytes are longer than the 64 that the collector has room for")]
    KeySize(u32),
    /// What was given as the table of stripes is none.
    #[error("this is no table of stripes: {0}")]
    NotStripes(&'static str),
    /// A table of stripes is in use with another seed.
    #[error("the table of stripes has been set up with another seed: take that one, or a new table")]
    OtherSeed,
    /// A program uses the map and not the stripes, so they would keep it from nothing.
    #[error(
        "program {id} ({name}) uses this map and takes none of these stripes, so an entry that it refreshes could be deleted: \
         give the stripes of this map, or name the program as one that only reads"
    )]
    Unstriped {
        /// Its id.
        id: u32,
        /// Its name.
        name: String,
    },
    /// The kernel did not take the collector.
    #[error("the collector does not load: {0}")]
    Load(String),
    /// The collector was not run, or not to its end.
    #[error("the collector does not run: {0}")]
    Run(String),
    /// A delete was refused, otherwise than by absence. The rest of the round was carried out.
    #[error("the kernel refused {count} deletes, the last with errno {errno}")]
    Delete {
        /// How many.
        count: u64,
        /// Of the last one.
        errno: i64,
        /// What was done all the same.
        round: Round,
    },
    /// Stripes were held for so long that the walk could not go on.
    #[error("the stripes of {} entries were not let go of: is a datapath stuck, or its CPU stopped?", .0.busy)]
    Stuck(Round),
    /// A round did not come to its end.
    #[error("{error}")]
    Partly {
        /// Why.
        error: Box<Error>,
        /// What was done until then.
        round: Round,
    },
    /// From the map, or from compare-and-delete.
    #[error(transparent)]
    Map(#[from] cmpdel_uapi::Error),
    /// Compare-and-delete ended early.
    #[error("{error}")]
    Ended {
        /// What the kernel said.
        error: cmpdel_uapi::Error,
        /// What was done until then.
        round: Round,
    },
}

impl Error {
    /// What was done before it ended.
    #[must_use]
    pub fn round(&self) -> Round {
        match self {
            Self::Delete { round, .. }
            | Self::Stuck(round)
            | Self::Partly { round, .. }
            | Self::Ended { round, .. } => *round,
            _ => Round::default(),
        }
    }
}
