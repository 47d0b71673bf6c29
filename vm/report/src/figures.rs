// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measured rows, and the one way in which two of them are compared: not at all, unless unit, accel, configuration and
//! compiler are the same.

use results::bench::{FlowState, Group, Profile, Ratio, Record, Row, Skipped};

use super::{catalogue, input::BenchFile, words::many};

/// The kernel without the series, as rows name it.
pub const BASE: &str = results::BASE;

/// What every removal is put in relation to.
pub const DELETE: &str = "delete hit";

/// The host's own kernel, as rows name it.
pub const NATIVE: &str = "native";

/// All rows of one file.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// The rows.
    pub rows: Vec<Row>,
    /// What is compared with what, by the bench.
    pub ratios: Vec<Ratio>,
    /// Where instructions go.
    pub profiles: Vec<Profile>,
    /// What was not measured.
    pub skipped: Vec<Skipped>,
    /// Between two runs of one image, as a fraction.
    pub repeat_difference: Option<f64>,
    /// Wall time.
    pub seconds: f64,
    /// The series that the environment names.
    pub series: String,
}

impl Figures {
    /// The figures of a file.
    pub fn of(file: &BenchFile) -> Self {
        let Record { rows, ratios, profiles, skipped, repeat_difference, seconds, .. } = file.record.clone();
        let series =
            file.environment.kernel.as_ref().map_or_else(String::new, |kernel| kernel.series.clone());
        Self { rows, ratios, profiles, skipped, repeat_difference, seconds, series }
    }

    /// Rows of a table, in order.
    pub fn group(&self, group: Group) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.measure.group == group)
    }

    /// An operation on a map of a kernel; with the smallest window, where it has any.
    pub fn operation(&self, operation: &str, map: &str, kernel: &str) -> Option<&Row> {
        self.group(Group::Operation)
            .filter(|row| {
                let m = &row.measure;
                m.operation == operation && m.map == map && row.origin.kernel == kernel
            })
            .min_by_key(|row| row.measure.window)
    }

    /// A packet through a discipline.
    pub fn packet(&self, discipline: &str, state: FlowState) -> Option<&Row> {
        let wanted = |row: &&Row| {
            row.measure.packet.as_ref().is_some_and(|p| p.discipline == discipline && p.state == state)
        };
        self.group(Group::Datapath).filter(wanted).min_by_key(|row| self.rank(row))
    }

    /// The same on one of these maps; on another, if it was not measured there.
    pub fn packet_on(&self, discipline: &str, state: FlowState, maps: &[&str]) -> Option<&Row> {
        let wanted = |row: &&Row| {
            row.measure.packet.as_ref().is_some_and(|p| p.discipline == discipline && p.state == state)
                && maps.contains(&row.measure.map.as_str())
        };
        self.group(Group::Datapath)
            .filter(wanted)
            .min_by_key(|row| self.rank(row))
            .or_else(|| self.packet(discipline, state))
    }

    /// The round of a strategy on the largest map, with most of it expired, of those that were measured.
    pub fn round(&self, strategy: &str) -> Option<&Row> {
        self.group(Group::Job)
            .filter(|row| row.measure.job.as_ref().is_some_and(|job| job.strategy == strategy))
            .max_by_key(|row| {
                let size = row.measure.job.as_ref().map(|job| (job.expired_percent, job.entries));
                (size, std::cmp::Reverse(self.rank(row)))
            })
    }

    /// Which of several kernels speaks for an approach: that with the series, then another one, then the base.
    pub fn rank(&self, row: &Row) -> u8 {
        match row.origin.kernel.as_str() {
            kernel if kernel == self.series => 0,
            BASE => 2,
            _ => 1,
        }
    }

    /// Comparisons that would be refused, each in a sentence: kernels of one unit and accel that differ in configuration or
    /// compiler.
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        let mut kinds: Vec<&Row> = Vec::new();
        for row in &self.rows {
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
}

/// What a row is called, as the bench's ratios name it: `compare hit, window 8, hash, v3`.
pub fn name_of(row: &Row) -> String {
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
        super::words::listed(&differ),
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

/// What was not measured, in sentences: the same reason once.
pub fn skipped(figures: &Figures) -> Vec<String> {
    let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
    for skipped in &figures.skipped {
        let what = format!("{} ({})", skipped.what, skipped.kernel);
        match by_reason.iter_mut().find(|(known, _)| *known == skipped.reason) {
            Some((_, whats)) => whats.push(what),
            None => by_reason.push((&skipped.reason, vec![what])),
        }
    }
    by_reason
        .into_iter()
        .map(|(reason, whats)| format!("{}: {}: {reason}", many(whats.len(), "figure"), whats.join("; ")))
        .collect()
}

/// Rows of the proposal: it takes the series.
pub fn is_ours(row: &Row) -> bool {
    let m = &row.measure;
    m.job.as_ref().map_or_else(
        || {
            m.window.is_some()
                || ["compare", "kfunc", "bpf_sys_bpf"].iter().any(|word| m.operation.starts_with(word))
        },
        |job| catalogue::is_proposal(&job.strategy),
    )
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{bench, operation};
    use super::*;

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
        let mut figures = Figures::of(&bench());
        assert!(figures.troubles().is_empty());
        for row in figures.rows.iter_mut().filter(|row| row.origin.kernel == "v3") {
            row.origin.compiler = "clang".into();
        }
        let troubles = figures.troubles();
        assert!(troubles.len() == 1 && troubles[0].contains("compiler differs"), "{troubles:?}");
        // What belongs to another accel is in another chart and is no trouble.
        for row in figures.rows.iter_mut().filter(|row| row.origin.kernel == "v3") {
            row.origin.accel = "native".into();
        }
        assert!(figures.troubles().is_empty());
    }
}
