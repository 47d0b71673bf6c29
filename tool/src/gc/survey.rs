// SPDX-License-Identifier: MIT OR Apache-2.0
//! A look at all entries before anything is deleted: whether the threshold can be right at all. A clock that is not the
//! entries' makes all of them old, and gives no other sign.

use cmpdel_uapi::{Error, Map, Snapshot};
use keep::Field;

use super::clock::{Clock, Threshold};

/// What a look has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Entries that meet all conditions.
    pub entries: u64,
    /// Those of them that have expired.
    pub expired: u64,
    /// Stamped later than now.
    pub future: u64,
    /// Stamped before this machine was booted, as no entry of a map is.
    pub before_boot: u64,
    /// Of the expired, those that have no stamp but 0.
    pub zero: u64,
    /// Entries of the map, whatever else is asked of them.
    pub all: u64,
    /// Those of them that have expired.
    pub all_expired: u64,
    /// The last stamp of all: that of the only entry, if there is one alone.
    pub stamp: i128,
}

impl Survey {
    /// Looks at the entries that meet the conditions, and whether all others have expired as well; 0 may be `never`.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn new(
        map: &Map<'_>,
        field: Field,
        threshold: &Threshold,
        (batch, never): (u32, bool),
        meets: &dyn Fn(&[u8], &[u8]) -> bool,
        tell: &dyn Fn(u64),
    ) -> Result<Self, Error> {
        let mut survey = Self::default();
        let boot = threshold.boot();
        let mut walk = map.walk(batch)?;
        let mut snapshot = Snapshot::default();
        let (mut looked_at, mut latest) = (0, i128::MIN);
        while walk.next_into(&mut snapshot)? {
            for (key, value) in snapshot.entries() {
                // The highest number means never, where it means anything.
                let Some(stamp) = field.read(value).filter(|stamp| *stamp != highest(field)) else {
                    continue;
                };
                let expired = stamp < threshold.below;
                if stamp != 0 || !never {
                    (survey.all, survey.stamp) = (survey.all + 1, stamp);
                    survey.all_expired += u64::from(expired);
                }
                if !meets(key, value) {
                    continue;
                }
                survey.entries += 1;
                survey.expired += u64::from(expired);
                survey.zero += u64::from(stamp == 0 && expired);
                survey.before_boot += u64::from(stamp != 0 && boot.is_some_and(|boot| stamp < boot));
                if threshold.now.is_some_and(|(now, _)| stamp > now) {
                    survey.future += 1;
                    latest = latest.max(stamp);
                }
            }
            looked_at += snapshot.len() as u64;
            tell(looked_at);
        }
        // Entries were stamped while this looked at them.
        let until = match threshold.now {
            Some((_, Some(clock))) => clock.now(threshold.unit),
            // A number that was read some time ago, in a unit that is not known.
            Some((now, None)) => now.saturating_add(threshold.age),
            None => i128::MAX,
        };
        if latest <= until {
            survey.future = 0;
        }
        Ok(survey)
    }

    /// Why the threshold cannot be right, if it cannot. Under stripes nothing can be spared.
    #[must_use]
    pub fn doubt(&self, threshold: &Threshold, under_stripes: bool) -> Option<String> {
        let Self { entries, expired, future, before_boot, zero, all, all_expired, .. } = *self;
        let clock = threshold.now.and_then(|(_, clock)| clock);
        let clock = clock.map_or("--now".into(), |clock| format!("the {} clock", clock.name()));
        let doubt = if before_boot > 0 && expired > 0 {
            format!(
                "{before_boot} of {entries} entries are stamped before this machine was booted, by {clock}: it is not the clock \
                 of this field, or not its unit"
            )
        } else if future > 0 && threshold.age > 0 {
            format!(
                "{future} of {entries} entries are stamped later than now: it is not the clock of this field, or not its unit, \
                 or the field says until when an entry lives (then it is --older-than 0)"
            )
        } else if zero > 0 && threshold.now.is_some() {
            let mend = match under_stripes {
                true => {
                    "under --stripes none is spared, but by a condition in C (keep/include/keep/collector.h)"
                }
                false => "--zero-is-never spares them",
            };
            format!("{zero} of {entries} entries hold 0, which is no time: {mend}")
        } else if entries > 1 && expired == entries {
            format!(
                "all {entries} entries have expired, as they seem to where a clock, a unit or a field is the wrong one"
            )
        } else if all > 1 && all_expired == all && expired > 0 {
            format!(
                "all {all} entries of the map have expired, also those that --where spares, as they seem to where a clock, a unit or a \
                 field is the wrong one"
            )
        } else if all == 1 && expired == 1 && self.is_old(threshold) {
            format!(
                "the only entry is stamped in the first half of the time that {clock} has run, as it seems to be where a clock, a \
                 unit or a field is the wrong one"
            )
        } else {
            return None;
        };
        Some(format!("{doubt}; nothing was deleted. If it is right all the same, say --force"))
    }

    /// Whether the only entry is older than half the time since boot, on a clock that begins there.
    fn is_old(&self, threshold: &Threshold) -> bool {
        match threshold.now {
            Some((now, Some(Clock::Monotonic | Clock::Boottime))) => self.stamp < now / 2,
            _ => false,
        }
    }
}

fn highest(field: Field) -> i128 {
    (1_i128 << (8 * field.size - u32::from(field.signed))) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gc::clock::Unit;

    fn threshold(age: i128, clock: Option<Clock>) -> Threshold {
        Threshold { below: 1000 - age, now: Some((1000, clock)), age, unit: Unit::Ns }
    }

    #[test]
    fn what_cannot_be_right_is_doubted() {
        let survey = |entries, expired, future, before_boot| Survey {
            entries,
            expired,
            future,
            before_boot,
            all: entries,
            all_expired: expired,
            stamp: 900,
            zero: 0,
        };
        let doubt = |survey: Survey, age| {
            survey.doubt(&threshold(age, Some(Clock::Realtime)), false).unwrap_or_default()
        };
        assert!(doubt(survey(20, 20, 0, 0), 300).contains("all 20 entries have expired"));
        assert!(doubt(survey(20, 3, 0, 20), 300).contains("20 of 20 entries are stamped before"));
        assert!(doubt(survey(20, 3, 1, 0), 300).contains("1 of 20 entries are stamped later than now"));
        assert!(doubt(Survey { zero: 1, ..survey(20, 3, 0, 0) }, 300).contains("1 of 20 entries hold 0"));
        for age in [0, -5] {
            let doubt = doubt(Survey { zero: 2, ..survey(20, 3, 17, 0) }, age);
            assert!(doubt.contains("2 of 20 entries hold 0"), "of a deadline, 0 may be never: {doubt}");
        }
        let zero = Survey { zero: 1, ..survey(20, 3, 0, 0) };
        let told = zero.doubt(&threshold(0, None), true).unwrap_or_default();
        assert!(!told.contains("--zero-is-never"), "it does not go with --stripes: {told}");
        let told = survey(1, 1, 0, 1).doubt(&threshold(300, None), false).unwrap_or_default();
        assert!(
            told.contains("1 of 1 entries are stamped before this machine was booted, by --now"),
            "{told}"
        );
        for (fine, age) in [
            (survey(20, 19, 0, 0), 300),
            (survey(1, 1, 0, 0), 300),
            (survey(0, 0, 0, 0), 300),
            (survey(20, 3, 17, 0), 0),
            (survey(20, 0, 0, 20), 300),
        ] {
            assert_eq!(doubt(fine, age), "", "{fine:?}");
        }
    }

    /// A condition that picks one entry must not hide that the clock is the wrong one.
    #[test]
    fn the_doubt_is_of_the_whole_map() {
        let survey = |entries, expired, all, all_expired, stamp| Survey {
            entries,
            expired,
            all,
            all_expired,
            stamp,
            ..Survey::default()
        };
        let doubt = |survey: Survey, clock| survey.doubt(&threshold(90, clock), false).unwrap_or_default();
        let monotonic = Some(Clock::Monotonic);
        let told = doubt(survey(1, 1, 20, 20, 900), monotonic);
        assert!(
            told.contains("all 20 entries of the map have expired, also those that --where spares"),
            "{told}"
        );
        assert!(doubt(survey(1, 1, 20, 20, 900), None).contains("all 20 entries"), "also without a clock");
        for fine in [survey(1, 1, 20, 19, 900), survey(0, 0, 20, 20, 900), survey(1, 1, 1, 1, 500)] {
            assert_eq!(doubt(fine, monotonic), "", "{fine:?}");
        }
        for clock in [Clock::Monotonic, Clock::Boottime] {
            assert!(
                doubt(survey(1, 1, 1, 1, 499), Some(clock))
                    .contains("the only entry is stamped in the first half")
            );
        }
        for clock in [Some(Clock::Realtime), None] {
            assert_eq!(doubt(survey(1, 1, 1, 1, 499), clock), "", "{clock:?} does not begin at boot");
        }
        assert_eq!(doubt(survey(1, 0, 1, 0, 499), monotonic), "", "it has not expired");
    }
}
