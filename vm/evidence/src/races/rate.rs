// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rates per million, what zero observations say of them, and how they are shown.

use results::races::Stress;

/// With zero events in N trials, a rate above this many in N would have shown itself with a probability of 95 %.
pub const RULE_OF_THREE: f64 = 3.0;

/// Of all losses, those that the stress counts, at least. It sees one only if the flow's next packet comes before what was lost
/// would have expired. Each burst of 64 packets chooses among 512 flows, and a lifetime lasts for 8 bursts of the CPU that sets
/// the clock: 1 - (511/512)^(64 * 8), or 63 %, of what is deleted right after it was written. What is deleted long after the
/// collector's look may be older: 42 % of it. What a run saw is counted in it: see [`seen`].
pub const SEEN: f64 = 0.3;

/// Of all losses in a run, those that it counts, if all are of entries which were deleted long after the collector's look: fewer
/// than of any others. Nothing, where the run does not say how many refreshes were followed by a packet in time.
#[allow(clippy::cast_precision_loss, reason = "a share is shown with two digits")]
pub fn seen(stress: &Stress) -> Option<f64> {
    match (stress.in_time, stress.late) {
        (0, 0) => return None,
        (0, _) => return Some(0.0),
        (_, 0) => return Some(1.0),
        _ => {}
    }
    // Of flows whose packets come by chance, `missed` have none in a lifetime. At an age that is as likely as a flow is to reach
    // it without a packet, so many have one in what is left of it.
    let missed = stress.late as f64 / (stress.in_time + stress.late) as f64;
    Some(1.0 + missed * missed.ln() / (1.0 - missed))
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
        figure(losses_below(stress.refreshes))
    )
}

/// The rate per million that zero in `all` leaves possible.
#[allow(clippy::cast_precision_loss, reason = "a bound is shown with two digits")]
pub fn below(all: u64) -> f64 {
    if all == 0 { f64::INFINITY } else { RULE_OF_THREE * 1e6 / all as f64 }
}

/// The same of losses in a stress, which does not see them all.
pub fn losses_below(all: u64) -> f64 {
    below(all) / SEEN
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
        // What a run counts leads to the same.
        let counted = Stress { in_time: 632, late: 368, ..Stress::default() };
        assert!((super::seen(&counted).unwrap() - late).abs() < 0.01);
        assert_eq!(super::seen(&Stress::default()), None);
        let none = Stress { late: 1, ..Stress::default() };
        assert_eq!(super::seen(&none), Some(0.0));
    }
}
