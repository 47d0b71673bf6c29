// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rates per million, what zero observations say of them, and how they are shown.

use results::races::Stress;

/// With zero events in N trials, a rate above this many in N would have shown itself with a probability of 95 %.
pub const RULE_OF_THREE: f64 = 3.0;

/// What a normal variable exceeds with a probability of 5 %.
const ONE_IN_TWENTY: f64 = 1.645;

/// Of all losses, those that the stress counts, at least. It sees one only if the flow's next packet comes before what was lost
/// would have expired. Each burst of 64 packets chooses among 512 flows, and a lifetime lasts for 8 bursts of the CPU that sets
/// the clock: 1 - (511/512)^(64 * 8), or 63 %, of what is deleted right after it was written. What is deleted long after the
/// collector's look may be older: 42 % of it. What a run saw is counted in it: see [`seen`].
pub const SEEN: f64 = 0.3;

/// Of all losses in a run, those that it counts, if all are of entries which were deleted long after the collector's look: fewer
/// than of any others. It is that of the flows which show the fewest, since CPUs differ. Nothing, where the run does not say how
/// many refreshes were followed by a packet in time.
#[allow(clippy::cast_precision_loss, reason = "a share is shown with two digits")]
pub fn seen(stress: &Stress) -> Option<f64> {
    let told = stress.followed.iter().filter(|group| group.in_time + group.late > 0);
    // Of flows whose packets come by chance, so many have none in a lifetime.
    let missed = told.map(|group| group.late as f64 / (group.in_time + group.late) as f64);
    // Where each packet writes, an entry has an age as likely as a flow is to reach it without a packet. Where only one in the
    // second half of the lifetime does, the entries are older: this is what is left to them then, and so less than elsewhere.
    missed.map(|missed| 1.0 - missed.sqrt()).reduce(f64::min)
}

/// Chances of a loss, in none of which one was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trials {
    /// Deletes, or refreshes.
    pub all: u64,
    /// Evictions that may be losses: see [`Stress::undecided`].
    pub undecided: u64,
    /// Of all losses, those that would have been seen: [`SEEN`], or fewer.
    pub seen: f64,
}

impl Default for Trials {
    fn default() -> Self {
        Self { all: 0, undecided: 0, seen: SEEN }
    }
}

impl Trials {
    /// The deletes of a run.
    pub fn deletes(stress: &Stress) -> Self {
        Self { all: stress.deletes, ..Self::refreshes(stress) }
    }

    /// Its refreshes.
    pub fn refreshes(stress: &Stress) -> Self {
        let seen = seen(stress).map_or(SEEN, |seen| seen.min(SEEN));
        Self { all: stress.refreshes, undecided: stress.undecided, seen }
    }

    /// The rate per million that they leave possible, if the stress does not see each loss, and what is undecided is one.
    pub fn losses_below(self) -> f64 {
        below(self.all) / RULE_OF_THREE * most(self.undecided) / self.seen
    }
}

impl std::ops::AddAssign for Trials {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.undecided += other.undecided;
        self.seen = self.seen.min(other.seen);
    }
}

impl std::iter::Sum for Trials {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

/// How many there may be on average, where so many came (95 %): Byar's approximation of the Poisson distribution.
#[allow(clippy::cast_precision_loss, reason = "a bound is shown with two digits")]
fn most(came: u64) -> f64 {
    if came == 0 {
        return RULE_OF_THREE;
    }
    let next = came as f64 + 1.0;
    next * (1.0 - 1.0 / (9.0 * next) + ONE_IN_TWENTY / (3.0 * next.sqrt())).powi(3)
}

/// `count` of `all`, per million; nothing of nothing is nothing.
#[allow(clippy::cast_precision_loss, reason = "a rate is shown with two digits")]
pub fn per_million(count: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { count as f64 * 1e6 / all as f64 }
}

/// What zero observations say.
pub fn bound(stress: &Stress) -> String {
    format!(
        "0 in {} refreshes and {} deletes: fewer than {} per million refreshes (95 %)",
        stress.refreshes,
        stress.deletes,
        figure(Trials::refreshes(stress).losses_below())
    )
}

/// The rate per million that zero in `all` leaves possible.
#[allow(clippy::cast_precision_loss, reason = "a bound is shown with two digits")]
pub fn below(all: u64) -> f64 {
    if all == 0 { f64::INFINITY } else { RULE_OF_THREE * 1e6 / all as f64 }
}

/// Two digits of a figure, or as many as it has before the point.
pub fn figure(value: f64) -> String {
    if value == 0.0 || value >= 9.95 {
        return format!("{value:.0}");
    }
    // For 0.032: two digits after the first one that counts.
    let mut decimals = 1;
    let mut shown = value;
    while shown < 0.995 && decimals < 9 {
        shown *= 10.0;
        decimals += 1;
    }
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use results::races::Followed;

    use super::*;

    /// Lives of an entry, in bursts of the CPU that sets the clock.
    const LIFETIME: i32 = 8;

    /// Of losses, those whose flow has another packet in time: deleted right after the refresh, and at any age that a flow
    /// without a packet since may have.
    #[test]
    fn the_stress_is_not_taken_to_see_more_than_it_does() {
        let spared = (511.0_f64 / 512.0).powi(64);
        let at_once = 1.0 - spared.powi(LIFETIME);
        assert!((0.62..0.64).contains(&at_once), "{at_once}");
        // In the middle of each burst.
        let ages = || (0..LIFETIME).map(|age| f64::from(age) + 0.5);
        let weight: f64 = ages().map(|age| spared.powf(age)).sum();
        let seen: f64 =
            ages().map(|age| spared.powf(age) * (1.0 - spared.powf(f64::from(LIFETIME) - age))).sum();
        let late = seen / weight;
        assert!((0.41..0.43).contains(&late), "{late}");
        assert!(SEEN < late);
        // Where only packets in the second half write, entries are as likely to have any age in the first.
        let written = |age: f64| spared.powf((age - f64::from(LIFETIME) / 2.0).max(0.0));
        let weight: f64 = ages().map(written).sum();
        let seen: f64 = ages().map(|age| written(age) * (1.0 - spared.powf(f64::from(LIFETIME) - age))).sum();
        let half = seen / weight;
        assert!(SEEN < half && half < late, "{half}");
        // What a run counts leads to the same, and the slowest flows count.
        let counted = |followed: &[(u64, u64)]| {
            let followed = followed.iter().map(|&(in_time, late)| Followed { in_time, late }).collect();
            super::seen(&Stress { followed, ..Stress::default() })
        };
        assert!((counted(&[(9, 1), (632, 368)]).unwrap() - half).abs() < 0.01);
        assert_eq!(counted(&[(0, 0)]), None);
        assert_eq!(counted(&[(0, 1), (0, 0)]), Some(0.0));
    }

    #[test]
    fn what_is_undecided_is_in_the_bound() {
        let figures = [0, 1, 2, 10]
            .map(|undecided| figure(Trials { all: 1_000_000, undecided, seen: 1.0 }.losses_below()));
        // Of the Poisson distribution: 3.00, 4.74, 6.30, 16.96.
        assert_eq!(figures, ["3.0", "4.7", "6.3", "17"]);
        assert!(Trials::default().losses_below().is_infinite());
        // A run that would have seen few losses says less.
        let run = |late| {
            let followed = vec![Followed { in_time: 1000 - late, late }];
            Trials::deletes(&Stress { deletes: 1_000_000, followed, ..Stress::default() }).losses_below()
        };
        assert_eq!([0, 360, 810].map(|late| figure(run(late))), ["10", "10", "30"]);
    }
}
