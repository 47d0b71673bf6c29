// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rates per million, what zero observations say of them, and how they are shown.

use results::races::Stress;

/// With zero events in N trials, a rate above this many in N would have shown itself with a probability of 95 %.
pub const RULE_OF_THREE: f64 = 3.0;

/// Of all losses, those that the stress counts, at least. It sees one only if the flow's next packet comes before what was lost
/// would have expired. Each burst of 64 packets chooses among 512 flows, and a lifetime lasts for 8 bursts of the CPU that sets
/// the clock: 1 - (511/512)^(64 * 8), or 63 %, of what is deleted right after it was written. What is deleted long after the
/// collector's look may be older: 42 % of it, and 31 % where flows move between CPUs.
pub const SEEN: f64 = 0.3;

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
