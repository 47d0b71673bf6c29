// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a collection prints: a sentence for people, or one JSON object.

use keep::{Outcome as Fate, Round};
use serde::Serialize;

use super::IntField;
use crate::bytes::hex;
use crate::outcome::Outcome;
use crate::output::{self, MapReport};

/// All there is to say of a collection. Counts are true whatever the outcome.
#[derive(Debug)]
pub struct GcReport {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether nothing was to be deleted.
    pub dry_run: bool,
    /// The map, once it was open.
    pub map: Option<MapReport>,
    /// The field, once it was found.
    pub field: Option<IntField>,
    /// An entry whose field is lower has expired.
    pub threshold: Option<i128>,
    /// What was looked at, and what became of it.
    pub round: Round,
    /// By which means, once that was decided.
    pub means: Option<&'static str>,
    /// Whether the kernel was given batches, or one entry at a time.
    pub batches: bool,
    /// What to know, whatever came of it.
    pub notes: Vec<String>,
    /// Why it did not come to its end.
    pub error: Option<String>,
}

/// A line of `--keys`: an entry that had expired, and what became of it.
#[derive(Serialize)]
struct KeyLine {
    key: String,
    outcome: &'static str,
}

/// The line of an entry, as JSON.
#[must_use]
pub fn key_line(key: &[u8], outcome: Fate) -> String {
    let outcome = match outcome {
        Fate::Deleted => "deleted",
        Fate::Kept => "kept",
        Fate::Absent => "absent",
        Fate::Busy => "busy",
        Fate::Expired => "expired",
        // The summary says why.
        _ => "failed",
    };
    serde_json::to_string(&KeyLine { key: hex(key), outcome }).unwrap_or_default() + "\n"
}

/// The object of `--json`.
#[derive(Serialize)]
struct Json<'a> {
    outcome: Outcome,
    exit_code: u8,
    dry_run: bool,
    map: &'a Option<MapReport>,
    window: &'a Option<IntField>,
    threshold: Option<i128>,
    looked_at: u64,
    expired: u64,
    deleted: u64,
    kept: u64,
    absent: u64,
    busy: u64,
    means: Option<&'static str>,
    batches: bool,
    notes: &'a [String],
    error: &'a Option<String>,
}

impl GcReport {
    /// One in which nothing has happened.
    #[must_use]
    pub fn new(dry_run: bool) -> Self {
        Self {
            outcome: Outcome::Error,
            dry_run,
            map: None,
            field: None,
            threshold: None,
            round: Round::default(),
            means: None,
            batches: false,
            notes: Vec::new(),
            error: None,
        }
    }

    /// Prints it and gives the exit code.
    #[must_use]
    pub fn print(&self, json: bool) -> u8 {
        let error = self.error.as_ref().map(|error| match self.round.looked_at {
            0 => format!("cmpdel: {error}"),
            _ => format!("cmpdel: {error}; until then {}", self.text()),
        });
        let notes: String = self.notes.iter().map(|note| format!("note: {note}\n")).collect();
        let is_written = output::print(json.then(|| self.json()), error, |_| self.text() + "\n" + &notes);
        if is_written || self.error.is_some() { self.outcome.exit_code() } else { Outcome::Error.exit_code() }
    }

    fn json(&self) -> String {
        let json = Json {
            outcome: self.outcome,
            exit_code: self.outcome.exit_code(),
            dry_run: self.dry_run,
            map: &self.map,
            window: &self.field,
            threshold: self.threshold,
            looked_at: self.round.looked_at,
            expired: self.round.expired,
            deleted: self.round.deleted,
            kept: self.round.kept,
            absent: self.round.absent,
            busy: self.round.busy,
            means: self.means,
            batches: self.batches,
            notes: &self.notes,
            error: &self.error,
        };
        // Strings and numbers: there is nothing that could fail.
        serde_json::to_string(&json).unwrap_or_default() + "\n"
    }

    fn text(&self) -> String {
        let Round { looked_at, expired, deleted, kept, absent, busy } = self.round;
        let map = self.map.as_ref().map(|map| format!("map {} ({})", map.id, map.name)).unwrap_or_default();
        let field = match &self.field {
            Some(IntField { name: Some(name), .. }) => format!("`{name}`"),
            Some(field) => format!("the integer at {}", field.offset),
            None => String::new(),
        };
        let threshold = self.threshold.unwrap_or_default();
        let of = format!("{map}: {expired} of {looked_at} entries have {field} below {threshold}");
        if self.dry_run {
            return format!("{of}; dry run, they are still there");
        }
        let busy = match busy {
            0 => String::new(),
            _ => format!(", {busy} left alone (busy)"),
        };
        let of = match self.means {
            Some("stripes") => format!("{of}, under stripes"),
            _ => of,
        };
        format!("{of}: {deleted} deleted, {kept} kept (refreshed since), {absent} already gone{busy}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> GcReport {
        GcReport {
            outcome: Outcome::Collected,
            map: Some(MapReport { id: 7, name: "ct".into(), map_type: "lru_hash" }),
            field: Some(IntField::at(8, "u32".parse().unwrap(), 16).unwrap()),
            threshold: Some(100),
            round: Round { looked_at: 9, expired: 6, deleted: 3, kept: 2, absent: 1, busy: 0 },
            means: Some("compare"),
            batches: true,
            ..GcReport::new(false)
        }
    }

    #[test]
    fn the_summary_counts_everything() {
        assert_eq!(
            report().text(),
            "map 7 (ct): 6 of 9 entries have the integer at 8 below 100: 3 deleted, 2 kept (refreshed since), 1 already gone"
        );
        let dry = GcReport { dry_run: true, round: Round { deleted: 0, ..report().round }, ..report() };
        assert!(dry.text().ends_with("below 100; dry run, they are still there"));
    }

    #[test]
    fn json_is_one_object_on_one_line() {
        assert_eq!(
            report().json(),
            "{\"outcome\":\"collected\",\"exit_code\":0,\"dry_run\":false,\
             \"map\":{\"id\":7,\"name\":\"ct\",\"type\":\"lru_hash\"},\
             \"window\":{\"field\":null,\"offset\":8,\"size\":4},\"threshold\":100,\"looked_at\":9,\"expired\":6,\
             \"deleted\":3,\"kept\":2,\"absent\":1,\"busy\":0,\"means\":\"compare\",\"batches\":true,\"notes\":[],\"error\":null}\n"
        );
    }

    #[test]
    fn keys_are_told_one_by_one() {
        assert_eq!(key_line(&[10, 0], Fate::Deleted), "{\"key\":\"0a 00\",\"outcome\":\"deleted\"}\n");
    }
}
