// SPDX-License-Identifier: MIT OR Apache-2.0
//! `BPF_F_COMPARE` for a whole snapshot: the bucket lock is taken once a key, so per key nothing changes but the price.

use anyhow::Result;
use cmpdel_uapi::{Map, Outcome};

use super::compare;
use crate::claims::{Claims, Expired, Remove, supported, tell_error, tell_fates, unsupported};
use crate::target::Target;
use crate::gate::Stop;
use crate::layout::{Fate, LIFETIME};
use crate::load::Denied;

struct CompareBatch<'a> {
    map: Map<'a>,
    stop: Stop<'a>,
    window: std::ops::Range<u32>,
    keys: Vec<u8>,
    values: Vec<u8>,
    /// Entries of a batch.
    most: usize,
}

/// Where an oracle asks when an entry was removed: all of a batch are told of at its end.
const STAMPED: usize = 8;

pub fn open(target: Target<'_>) -> Result<Box<dyn Remove + '_>, Denied> {
    let map = supported(target.map)?;
    // An empty batch deletes nothing, and tells whether the kernel takes batches.
    let _none = map.delete_batch_if_eq(&[], &[], LIFETIME..LIFETIME + 4).map_err(unsupported)?;
    let window = LIFETIME..LIFETIME + compare::window(&target);
    let most = if target.datapath.settings().stamped { STAMPED } else { usize::MAX };
    Ok(Box::new(CompareBatch {
        map,
        stop: target.stop(),
        window,
        keys: Vec::new(),
        values: Vec::new(),
        most,
    }))
}

impl Remove for CompareBatch<'_> {
    fn remove(&mut self, expired: &[Expired<'_>], _: u32, claims: &mut dyn Claims) -> Result<()> {
        expired.chunks(self.most).try_for_each(|chunk| self.batch(chunk, claims))
    }
}

impl CompareBatch<'_> {
    fn batch(&mut self, expired: &[Expired<'_>], claims: &mut dyn Claims) -> Result<()> {
        self.keys.clear();
        self.values.clear();
        for entry in expired {
            self.keys.extend_from_slice(entry.key);
            self.values.extend_from_slice(entry.value);
        }
        self.stop.before("compare")?;
        let batch = match self.map.delete_batch_if_eq(&self.keys, &self.values, self.window.clone()) {
            Ok(batch) => batch,
            Err(error) => {
                return expired.iter().take(1).try_for_each(|entry| tell_error(claims, entry, &error));
            }
        };
        let fates = batch.outcomes.iter().map(|outcome| match outcome {
            Outcome::Deleted => Fate::Removed,
            Outcome::Mismatch => Fate::Kept,
            Outcome::Absent => Fate::Absent,
        });
        tell_fates(claims, expired.iter().zip(fates));
        // Those after it are looked at again in the next round.
        match (expired.get(batch.outcomes.len()), &batch.ended) {
            (Some(entry), Some(error)) => tell_error(claims, entry, error),
            _ => Ok(()),
        }
    }
}
