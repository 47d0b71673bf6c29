// SPDX-License-Identifier: MIT OR Apache-2.0
//! The oracle of the concurrency test: who says to have deleted which version, against which versions are gone.
//!
//! A version is written once, by one writer. Replacing it with success proves that it was never deleted; being refused
//! for want of an entry proves that it was. So the versions that the writer found gone and those that deleters claim
//! must be the same, one for one, and no timing enters into it.

/// A version, unique over all keys: see `race.bpf.c`.
pub type Version = u64;

/// What comparing claims with removals shows. All but `exact` are zero on a kernel that keeps its promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Versions gone, and claimed once.
    pub exact: u64,
    /// Versions claimed that were not gone by deletion: they had been replaced, so a *newer* version was deleted.
    pub false_deletes: u64,
    /// Versions claimed more than once.
    pub doubled: u64,
    /// Versions gone that nobody expected: the other side of a false delete.
    pub unclaimed: u64,
}

/// Settles the claims of all deleters with the removals that the writer found.
pub fn settle(mut claims: Vec<Version>, mut removals: Vec<Version>) -> Settlement {
    claims.sort_unstable();
    removals.sort_unstable();
    let claimed = claims.len();
    claims.dedup();
    let mut settlement = Settlement { doubled: (claimed - claims.len()) as u64, ..Settlement::default() };
    let mut removals = removals.into_iter().peekable();
    for claim in claims {
        while removals.next_if(|&removal| removal < claim).is_some() {
            settlement.unclaimed += 1;
        }
        match removals.next_if_eq(&claim) {
            Some(_) => settlement.exact += 1,
            None => settlement.false_deletes += 1,
        }
    }
    settlement.unclaimed += removals.count() as u64;
    settlement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_are_clean_whatever_their_order() {
        let settlement = settle(vec![3, 1, 2], vec![2, 3, 1]);
        assert_eq!(settlement, Settlement { exact: 3, ..Settlement::default() });
    }

    #[test]
    fn a_newer_version_deleted_by_an_older_claim_is_seen_from_both_sides() {
        let settlement = settle(vec![1, 4, 9], vec![1, 5, 9]);
        assert_eq!(settlement, Settlement { exact: 2, false_deletes: 1, unclaimed: 1, doubled: 0 });
    }

    #[test]
    fn a_version_claimed_twice_or_by_nobody_is_seen() {
        assert_eq!(settle(vec![7, 7], vec![7]), Settlement { exact: 1, doubled: 1, ..Settlement::default() });
        assert_eq!(settle(vec![], vec![7, 8]), Settlement { unclaimed: 2, ..Settlement::default() });
        assert_eq!(settle(vec![7], vec![]), Settlement { false_deletes: 1, ..Settlement::default() });
    }
}
