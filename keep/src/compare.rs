// SPDX-License-Identifier: MIT OR Apache-2.0
//! Batch look-ups, a filter on the field, and compare-and-delete of what expired, with that field as window, and with what a
//! second condition looked at. An entry in which that has changed between the look and the delete lives on.

use std::ops::Range;

use cmpdel_uapi::{Error as Denied, Kind, Map, Outcome as Entry, Snapshot, Support, probe_batch};

use crate::plan::{Condition, Going, Plan, Progress, Tell};
use crate::{Error, Field, Outcome, Round};

/// How often in a row the lock of a bucket may be out of reach.
const PATIENCE: u32 = 5;

pub struct Compare<'a> {
    map: Map<'a>,
    field: Field,
    window: Range<u32>,
    condition: Option<Condition<'a>>,
    progress: Option<Progress<'a>>,
    going: Going<'a>,
    batch: u32,
    batched: bool,
}

impl<'a> Compare<'a> {
    pub fn open(map: Map<'a>, plan: &Plan<'a>) -> Result<Self, Error> {
        let &Plan { field, batch, condition, progress, going, .. } = plan;
        let mut window = field.window();
        if let Some(Condition { from, to, .. }) = condition.filter(|condition| condition.from < condition.to)
        {
            window = window.start.min(from)..window.end.max(to);
        }
        map.check_delete(window.clone())?;
        let batched = match probe_batch(map.info().map_type) {
            Ok(support) => support == Support::Supported,
            // It could not be tried out: one by one is what there is to trust.
            Err(Denied::Permission) => false,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { map, field, window, condition, progress, going, batch, batched })
    }

    /// Whether it has expired, and all else holds.
    fn is_due(&self, key: &[u8], value: &[u8], threshold: i128) -> bool {
        self.field.read(value).is_some_and(|time| time < threshold)
            && self.condition.is_none_or(|condition| (condition.holds)(key, value))
    }

    pub fn is_batched(&self) -> bool {
        self.batched
    }

    pub fn round(&self, threshold: i128, dry: bool, mut tell: Option<Tell<'_>>) -> Result<Round, Error> {
        let mut round = Round::default();
        let mut walk = self.map.walk(self.batch)?;
        let mut snapshot = Snapshot::default();
        while !self.going.is_over()
            && walk.next_into(&mut snapshot).map_err(|error| Error::Ended { error, round })?
        {
            round.looked_at += snapshot.len() as u64;
            snapshot.retain(|key, value| self.is_due(key, value, threshold));
            round.expired += snapshot.len() as u64;
            if !dry {
                self.delete(snapshot.keys(), snapshot.values(), &mut round, &mut tell)?;
            } else if let Some(tell) = &mut tell {
                snapshot.entries().for_each(|(key, _)| tell(key, Outcome::Expired));
            }
            if let Some(Progress(tell)) = self.progress {
                tell(round.looked_at);
            }
        }
        Ok(round)
    }

    /// `keys` lie one behind the other.
    pub fn listed(&self, threshold: i128, keys: &[u8], tell: Tell<'_>) -> Result<Round, Error> {
        let mut round = Round::default();
        let (mut expired, mut values) = (Vec::new(), Vec::new());
        for key in keys.chunks_exact(self.map.info().key_size as usize) {
            round.looked_at += 1;
            let outcome = match self.map.lookup(key)? {
                Some(value) if self.is_due(key, &value, threshold) => {
                    expired.extend_from_slice(key);
                    values.extend(value);
                    continue;
                }
                Some(_) => Outcome::Kept,
                None => Outcome::Absent,
            };
            round.count(outcome);
            tell(key, outcome);
        }
        self.delete(&expired, &values, &mut round, &mut Some(tell))?;
        round.expired = round.deleted;
        Ok(round)
    }

    /// Deletes entries that were looked at, each if its field is still what it was.
    fn delete(
        &self,
        keys: &[u8],
        values: &[u8],
        round: &mut Round,
        tell: &mut Option<Tell<'_>>,
    ) -> Result<(), Error> {
        let (key_size, value_size) = (self.map.info().key_size as usize, self.map.info().value_size as usize);
        let (mut dealt_with, mut fruitless) = (0, 0);
        while dealt_with < keys.len() / key_size && !self.going.is_over() {
            let keys = keys.get(dealt_with * key_size..).unwrap_or_default();
            let values = values.get(dealt_with * value_size..).unwrap_or_default();
            let answer = if self.batched {
                self.map.delete_batch_if_eq(keys, values, self.window.clone())
            } else {
                self.map.delete_each_if_eq(keys, values, self.window.clone())
            };
            let (outcomes, ended) = match answer {
                Ok(batch) => (batch.outcomes, batch.ended),
                Err(error) => (Vec::new(), Some(error)),
            };
            for (key, outcome) in keys.chunks_exact(key_size).zip(&outcomes) {
                let outcome = match outcome {
                    Entry::Deleted => Outcome::Deleted,
                    Entry::Mismatch => Outcome::Kept,
                    Entry::Absent => Outcome::Absent,
                };
                round.count(outcome);
                if let Some(tell) = tell {
                    tell(key, outcome);
                }
            }
            dealt_with += outcomes.len();
            fruitless = if outcomes.is_empty() { fruitless + 1 } else { 0 };
            match ended {
                Some(error) if error.kind() != Kind::Contended || fruitless >= PATIENCE => {
                    return Err(Error::Ended { error, round: *round });
                }
                _ => {}
            }
        }
        Ok(())
    }
}
