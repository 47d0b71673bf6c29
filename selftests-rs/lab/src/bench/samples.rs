// SPDX-License-Identifier: MIT OR Apache-2.0
//! From samples to a figure: outliers are left out by the quarters, then minimum, median and spread.

use results::bench::{Group, Measure};

use super::clock::Clock;

/// Never an outlier: what is off the quarters by less than this part of the median.
const LEEWAY: f64 = 0.02;

/// What of several samples is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The least.
    pub min: f64,
    /// Half are below.
    pub median: f64,
    /// From the first to the third quarter.
    pub spread: f64,
    /// How many were not outliers.
    pub n: u32,
}

/// Summarises `samples`, each the cost of one.
pub fn summary(samples: impl IntoIterator<Item = f64>) -> Summary {
    let mut all: Vec<f64> = samples.into_iter().collect();
    all.sort_by(f64::total_cmp);
    let (first, median, third) = (quantile(&all, 0.25), quantile(&all, 0.5), quantile(&all, 0.75));
    let far = (1.5 * (third - first)).max(LEEWAY * median);
    all.retain(|sample| (first - far..=third + far).contains(sample));
    Summary {
        min: all.first().copied().unwrap_or(0.0),
        median: quantile(&all, 0.5),
        spread: quantile(&all, 0.75) - quantile(&all, 0.25),
        n: u32::try_from(all.len()).unwrap_or(u32::MAX),
    }
}

/// A measure of `calls` timed calls a sample, for `elements` elements together.
pub fn measure(group: Group, clock: &Clock, samples: &[u64], calls: u64, elements: u64) -> Measure {
    let floor = clock.floor * calls;
    let one = |sample: &u64| sample.saturating_sub(floor) as f64 / elements as f64;
    let Summary { min, median, spread, n } = summary(samples.iter().map(one));
    Measure {
        group,
        operation: String::new(),
        map: "-".into(),
        window: None,
        unit: clock.unit,
        min,
        median,
        spread,
        n,
        floor: floor as f64,
        elements,
        packet: None,
        job: None,
        contention: None,
    }
}

/// Between two samples, if need be. A place is never negative, nor beyond the last.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = part * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_is_an_outlier_and_a_longer_chain_is_not() {
        let found = summary([1000.0, 1000.0, 1012.0, 1000.0, 1000.0, 4000.0]);
        assert_eq!((found.min, found.median, found.n), (1000.0, 1000.0, 5));
    }

    #[test]
    fn quarters_lie_between_samples() {
        let found = summary([1.0, 2.0, 3.0, 4.0]);
        assert_eq!((found.median, found.spread), (2.5, 1.5));
        assert_eq!(summary([]), Summary { min: 0.0, median: 0.0, spread: 0.0, n: 0 });
    }
}
