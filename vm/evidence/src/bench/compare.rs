// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which figures may be compared, and whether two runs of one image agree.

use approaches::MapKind;
use results::bench::{Group, Measure, Row};

/// Two runs of one image may differ by this part, where instructions are counted.
pub const PRECISION: f64 = 0.005;

/// Nothing, if two rows may be compared; or why they may not.
pub fn incomparable(one: &Row, other: &Row) -> Option<String> {
    let (a, b) = (&one.origin, &other.origin);
    let differ = [
        ("unit", one.measure.unit.to_string(), other.measure.unit.to_string()),
        ("accel", a.accel.clone(), b.accel.clone()),
        ("configuration", a.config_sha256.clone(), b.config_sha256.clone()),
        ("compiler", a.compiler.clone(), b.compiler.clone()),
    ];
    let (what, one, other) = differ.into_iter().find(|(_, one, other)| one != other)?;
    Some(format!("not compared: their {what} differs ({one} and {other})"))
}

/// Whether two figures are of the same thing.
fn same(a: &Measure, b: &Measure) -> bool {
    let job = |measure: &Measure| {
        measure.job.as_ref().map(|job| (job.strategy.clone(), job.entries, job.expired_percent))
    };
    (a.group, &a.operation, &a.map, a.window, &a.packet)
        == (b.group, &b.operation, &b.map, b.window, &b.packet)
        && job(a) == job(b)
}

/// The largest difference between the least values of two runs of one image, as a part, and of what. `None` without a row
/// that is in both. Where a map refuses to go without a seed its buckets are others each time, and no two runs agree.
pub fn repeat_difference(one: &[Row], other: &[Row]) -> Option<(f64, String)> {
    let seedless = |row: &&Row| row.measure.map != MapKind::Rhash.name();
    let differences = one.iter().filter(seedless).filter_map(|row| {
        let again = other.iter().find(|again| {
            again.origin == row.origin
                && again.measure.unit == row.measure.unit
                && same(&again.measure, &row.measure)
        })?;
        let (a, b) = (row.measure.min, again.measure.min);
        let part = if a == b { 0.0 } else { (a - b).abs() / a.max(b) };
        Some((part, name(row)))
    });
    differences.max_by(|a, b| a.0.total_cmp(&b.0))
}

/// A row in words.
pub fn name(row: &Row) -> String {
    let Row { measure, origin } = row;
    let window = measure.window.map_or(String::new(), |bytes| format!(", window {bytes}"));
    let what = match (&measure.job, &measure.packet) {
        (Some(job), _) => format!("gc {}, {} entries, {} %", job.strategy, job.entries, job.expired_percent),
        (_, Some(packet)) => format!("packet, {} {:?}", packet.discipline, packet.state).to_lowercase(),
        _ => measure.operation.clone(),
    };
    let on_map = matches!(measure.group, Group::Operation | Group::Datapath);
    let map = if on_map { format!(", {}", measure.map) } else { String::new() };
    format!("{what}{window}{map}, {}", origin.kernel)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use results::bench::{Origin, Unit};

    /// A row that is like the others but for its name, kernel and cost.
    pub fn row(operation: &str, window: Option<u32>, kernel: &str, min: f64) -> Row {
        let measure = Measure {
            group: Group::Operation,
            operation: operation.into(),
            map: "hash".into(),
            window,
            unit: Unit::Instructions,
            min,
            median: min,
            spread: 0.0,
            n: 9,
            floor: 0.0,
            elements: 1,
            packet: None,
            job: None,
            contention: None,
        };
        let origin = Origin {
            kernel: kernel.into(),
            accel: "tcg".into(),
            config_sha256: "c".into(),
            compiler: "gcc".into(),
            image_sha256: kernel.into(),
        };
        Row { measure, origin }
    }

    #[test]
    fn a_difference_is_found_and_only_in_the_same_row() {
        let one = [row("a", None, "v3", 1000.0), row("b", Some(4), "v3", 1000.0)];
        let other = [row("a", None, "v3", 1004.0), row("b", Some(8), "v3", 2000.0)];
        let (part, what) = repeat_difference(&one, &other).unwrap();
        assert!(part < PRECISION && part > 0.003, "{part}");
        assert_eq!(what, "a, hash, v3");
        assert!(repeat_difference(&one, &[row("c", None, "v3", 1.0)]).is_none());
        let mut seeded = [row("a", None, "v3", 1000.0), row("a", None, "v3", 1500.0)];
        seeded.iter_mut().for_each(|row| row.measure.map = "rhash".into());
        assert!(repeat_difference(&seeded[..1], &seeded[1..]).is_none());
    }

    #[test]
    fn what_was_made_in_another_way_is_not_compared() {
        let one = row("a", None, "v3", 1.0);
        let spoil: [fn(&mut Row); 4] = [
            |row| row.measure.unit = Unit::Ns,
            |row| row.origin.accel = "kvm".into(),
            |row| row.origin.config_sha256 = "d".into(),
            |row| row.origin.compiler = "clang".into(),
        ];
        assert_eq!(incomparable(&one, &row("b", None, "base", 1.0)), None);
        for spoil in spoil {
            let mut other = one.clone();
            spoil(&mut other);
            assert!(incomparable(&one, &other).is_some());
        }
    }
}
