// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one way in which two measured rows are compared: not at all, unless unit, accel, configuration and compiler are the
//! same.

use results::bench::Row;

use super::words::listed;

/// What a row is called, as the bench's ratios name it: `compare hit, window 8, hash, v3`.
fn name_of(row: &Row) -> String {
    let m = &row.measure;
    let window = m.window.map_or_else(String::new, |window| format!(", window {window}"));
    format!("{}{window}, {}, {}", m.operation, m.map, row.origin.kernel)
}

/// Says why two rows may not be compared.
///
/// # Errors
/// In which of unit, accel, configuration and compiler they differ.
pub fn comparable(one: &Row, other: &Row) -> Result<(), String> {
    let mut differ = Vec::new();
    if one.measure.unit != other.measure.unit {
        differ.push("unit");
    }
    if one.origin.accel != other.origin.accel {
        differ.push("accel");
    }
    if one.origin.config_sha256 != other.origin.config_sha256 {
        differ.push("configuration");
    }
    if one.origin.compiler != other.origin.compiler {
        differ.push("compiler");
    }
    if differ.is_empty() {
        return Ok(());
    }
    let (one, other) = (&one.origin.kernel, &other.origin.kernel);
    Err(format!(
        "rows of kernel {one} are not compared with rows of kernel {other}: {} {} between them; measure both again with \
         `cargo xtask bench`",
        listed(&differ),
        if differ.len() == 1 { "differs" } else { "differ" }
    ))
}

/// One row over another, by the least of each.
///
/// # Errors
/// As [`comparable`], or when there is nothing to divide by.
pub fn ratio(one: &Row, other: &Row) -> Result<f64, String> {
    comparable(one, other)?;
    if other.measure.min > 0.0 {
        Ok(one.measure.min / other.measure.min)
    } else {
        Err(format!("{} costs nothing, so nothing can be put in relation to it", name_of(other)))
    }
}

/// Comparisons that would be refused, each in a sentence: kernels of one unit and accel that differ in configuration or
/// compiler.
pub fn troubles(rows: &[Row]) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut kinds: Vec<&Row> = Vec::new();
    for row in rows {
        let alike = |known: &&Row| known.measure.unit == row.measure.unit && known.origin == row.origin;
        if !kinds.iter().any(alike) {
            kinds.push(row);
        }
    }
    for (i, one) in kinds.iter().enumerate() {
        for other in &kinds[i + 1..] {
            let side_by_side =
                one.measure.unit == other.measure.unit && one.origin.accel == other.origin.accel;
            if let Err(why) = comparable(one, other)
                && side_by_side
                && !troubles.contains(&why)
            {
                troubles.push(why);
            }
        }
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{bench, operation};

    #[test]
    fn rows_of_another_configuration_compiler_accel_or_unit_are_not_compared() {
        let one = operation("delete hit", "hash", "base", 100.0);
        let other = operation("compare hit", "hash", "v3", 90.0);
        assert_eq!(ratio(&other, &one), Ok(0.9));
        let mut config = other.clone();
        config.origin.config_sha256 = "other".into();
        let why = ratio(&config, &one).unwrap_err();
        assert!(
            why.contains("kernel v3 are not compared with rows of kernel base: configuration differs"),
            "{why}"
        );
        let mut both = config.clone();
        both.origin.compiler = "clang".into();
        assert!(ratio(&both, &one).unwrap_err().contains("configuration and compiler differ"));
        let mut accel = other.clone();
        accel.origin.accel = "kvm".into();
        assert!(ratio(&accel, &one).unwrap_err().contains("accel differs"));
        let mut unit = other;
        unit.measure.unit = results::bench::Unit::Ns;
        assert!(ratio(&unit, &one).unwrap_err().contains("unit differs"));
    }

    #[test]
    fn a_refused_comparison_is_told_once() {
        let mut rows = bench().record.rows;
        assert!(troubles(&rows).is_empty());
        for row in rows.iter_mut().filter(|row| row.origin.kernel == "v3") {
            row.origin.compiler = "clang".into();
        }
        let said = troubles(&rows);
        assert!(said.len() == 1 && said[0].contains("compiler differs"), "{said:?}");
        // What belongs to another accel is in another chart and is no trouble.
        for row in rows.iter_mut().filter(|row| row.origin.kernel == "v3") {
            row.origin.accel = "native".into();
        }
        assert!(troubles(&rows).is_empty());
    }
}
