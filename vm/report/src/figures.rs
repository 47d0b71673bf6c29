// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measured rows, and how they are found.

use results::bench::{FlowState, Group, Profile, Ratio, Record, Row, Skipped};

use super::catalogue;

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
    /// The figures of a record that names `series`.
    pub fn of(record: &Record, series: &str) -> Self {
        let Record { rows, ratios, profiles, skipped, repeat_difference, seconds, .. } = record.clone();
        Self { rows, ratios, profiles, skipped, repeat_difference, seconds, series: series.to_owned() }
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
