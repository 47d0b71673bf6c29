// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether memory stays what it was: the line through the second half of the samples that the median of all slopes gives
//! (Theil–Sen). Some samples that lie far off do not move it; a leak of some bytes each time does. One step does not move the
//! line either, so the end is held against the beginning as well.

use results::soak::{Gauge, Kind, Sample};
use serde::Serialize;

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * KIB;
/// Fewer than so many samples tell nothing.
const FEWEST: usize = 8;
/// More than so many tell no more.
const MOST: usize = 300;
/// Of fewer than so many samples, the end is not held against the beginning: one that is far off would tell.
const ENOUGH_FOR_ENDS: usize = 16;
/// From the median of the distances to the standard deviation, and twice that.
const NOISE: f64 = 2.0 * 1.4826;

/// What the samples of a gauge say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It stays what it is.
    Flat,
    /// It grows.
    Grows,
    /// There are too few samples.
    Unknown,
}

/// How a gauge went on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// Of what.
    pub name: String,
    /// Whose memory that is.
    pub kind: Kind,
    /// Bytes, the median of the second half.
    pub median: f64,
    /// Bytes by which the line rises in the second half, or its end lies above its beginning, whichever is more.
    pub growth: f64,
    /// Bytes by which it may.
    pub allowance: f64,
    /// Seconds in the second half.
    pub seconds: f64,
    /// What that comes to.
    pub verdict: Verdict,
}

/// That of each gauge.
pub fn trends(gauges: &[Gauge], samples: &[Sample]) -> Vec<Trend> {
    let of = |(number, gauge): (usize, &Gauge)| {
        let read = samples.iter().filter_map(|sample| {
            let bytes = (*sample.bytes.get(number)?)?;
            Some((sample.at_ms as f64 / 1000.0, bytes as f64))
        });
        trend(gauge, &read.collect::<Vec<_>>())
    };
    gauges.iter().enumerate().map(of).collect()
}

fn trend(gauge: &Gauge, points: &[(f64, f64)]) -> Trend {
    let half = thinned(&points[points.len() / 2..]);
    let (name, kind) = (gauge.name.clone(), gauge.kind);
    let median = middle(half.iter().map(|point| point.1).collect());
    let seconds = half.last().zip(half.first()).map_or(0.0, |(last, first)| last.0 - first.0);
    let slope = slope(&half);
    let base = middle(half.iter().map(|(at, bytes)| bytes - slope * at).collect());
    let noise = NOISE * middle(half.iter().map(|(at, bytes)| (bytes - base - slope * at).abs()).collect());
    let (growth, allowance) = ((slope * seconds).max(step(&half)), floor(kind, median) + noise);
    let verdict = match half.len() {
        ..FEWEST => Verdict::Unknown,
        _ if growth <= allowance => Verdict::Flat,
        _ => Verdict::Grows,
    };
    Trend { name, kind, median, growth, allowance, seconds, verdict }
}

/// What may come and go in any case. A map is told to the byte.
fn floor(kind: Kind, median: f64) -> f64 {
    match kind {
        Kind::Map => 4.0 * KIB,
        Kind::Collector => 512.0 * KIB,
        Kind::Lab => 8.0 * MIB,
        Kind::Kernel => (4.0 * MIB).max(0.05 * median),
    }
}

/// From the median of the first quarter to that of the last.
fn step(points: &[(f64, f64)]) -> f64 {
    if points.len() < ENOUGH_FOR_ENDS {
        return f64::NEG_INFINITY;
    }
    let quarter = points.len() / 4;
    let of = |part: &[(f64, f64)]| middle(part.iter().map(|point| point.1).collect());
    of(&points[points.len() - quarter..]) - of(&points[..quarter])
}

fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let every = points.len().div_ceil(MOST).max(1);
    points.iter().copied().step_by(every).collect()
}

/// The median of the slopes of all pairs.
fn slope(points: &[(f64, f64)]) -> f64 {
    let mut slopes = Vec::new();
    for (number, one) in points.iter().enumerate() {
        let later = points[number + 1..].iter().filter(|other| other.0 > one.0);
        slopes.extend(later.map(|other| (other.1 - one.1) / (other.0 - one.0)));
    }
    middle(slopes)
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that `bytes` tells of each of so many samples.
    fn of(kind: Kind, samples: u32, bytes: impl Fn(u32) -> f64) -> Trend {
        let gauge = Gauge { name: "a".into(), kind };
        trend(&gauge, &(0..samples).map(|n| (f64::from(n), bytes(n))).collect::<Vec<_>>())
    }

    /// Up and down, the same each time.
    fn noise(n: u32) -> f64 {
        f64::from(n.wrapping_mul(2_654_435_761) >> 16) / 65_536.0 - 0.5
    }

    #[test]
    fn a_leak_grows_however_it_is_hidden() {
        let leaks: [(&str, Trend); 6] = [
            ("at once", of(Kind::Kernel, 100, |n| if n < 75 { 2e7 } else { 3e7 })),
            ("near the end", of(Kind::Map, 100, |n| 1e6 + 65_536.0 * f64::from(n.saturating_sub(90)))),
            ("a map", of(Kind::Map, 100, |n| 1e6 + 100.0 * f64::from(n))),
            ("a noisy process", of(Kind::Lab, 200, |n| 5e7 + 4e5 * f64::from(n) + 3e6 * noise(n))),
            ("one that is large", of(Kind::Kernel, 200, |n| 1e8 + 3e5 * f64::from(n) + 1e6 * noise(n))),
            ("in steps", of(Kind::Map, 100, |n| 1e6 + 65_536.0 * f64::from(n / 10))),
        ];
        for (what, trend) in leaks {
            assert_eq!(trend.verdict, Verdict::Grows, "{what}: {trend:?}");
        }
    }

    #[test]
    fn what_stays_is_flat() {
        let flat: [(&str, Trend); 5] = [
            ("the same", of(Kind::Map, 100, |_| 1e6)),
            ("what falls", of(Kind::Lab, 100, |n| 5e7 - 1e5 * f64::from(n))),
            ("what begins low", of(Kind::Collector, 100, |n| 1e6 + 1e5 * f64::from(n.min(30)))),
            ("what goes up and down", of(Kind::Kernel, 100, |n| 2e7 + 2e6 * noise(n))),
            ("some that are far off", of(Kind::Map, 100, |n| if n % 9 == 0 { 9e6 } else { 1e6 })),
        ];
        for (what, trend) in flat {
            assert_eq!(trend.verdict, Verdict::Flat, "{what}: {trend:?}");
        }
    }

    #[test]
    fn few_samples_and_none_tell_nothing() {
        assert_eq!(of(Kind::Map, 10, |_| 1.0).verdict, Verdict::Unknown);
        assert_eq!(of(Kind::Map, 0, |_| 1.0).verdict, Verdict::Unknown);
        let gauges = [Gauge { name: "a".into(), kind: Kind::Map }];
        let unread = Sample { bytes: vec![None], ..Sample::default() };
        assert_eq!(trends(&gauges, &vec![unread; 100])[0].verdict, Verdict::Unknown);
    }

    #[test]
    fn a_night_of_samples_is_judged_as_well() {
        let long = |each: f64| of(Kind::Map, 20_000, |n| 1e6 + each * f64::from(n)).verdict;
        assert_eq!((long(0.0), long(1.0)), (Verdict::Flat, Verdict::Grows));
    }
}
