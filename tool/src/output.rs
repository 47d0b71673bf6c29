// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run prints: text for people, or one JSON object.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::bytes::hex;
use crate::diff::Difference;
use crate::outcome::{Failure, Outcome};
use crate::window::Window;

/// All there is to say of a run.
#[derive(Debug)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// The map, once it was open.
    pub map: Option<MapReport>,
    /// The key, once it was read.
    pub key: Option<Vec<u8>>,
    /// The window, once it was known.
    pub window: Option<WindowReport>,
    /// The value that the entry was to get, if it was to get one and that was known.
    pub new_value: Option<Vec<u8>>,
    /// What differs.
    pub difference: Option<Difference>,
    /// What to know of the difference.
    pub note: Option<String>,
    /// Why it did not come to an answer.
    pub error: Option<String>,
}

/// A map.
#[derive(Debug, Serialize)]
pub struct MapReport {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its type, as bpftool names it.
    #[serde(rename = "type")]
    pub map_type: &'static str,
}

/// A window.
#[derive(Debug, Serialize)]
pub struct WindowReport {
    offset: u32,
    size: usize,
    field: Option<String>,
    expected: String,
    #[serde(skip)]
    bytes: Vec<u8>,
}

impl WindowReport {
    /// Of this window, chosen by that field.
    #[must_use]
    pub fn new(window: &Window, field: Option<String>) -> Self {
        Self {
            offset: window.offset,
            size: window.expected.len(),
            field,
            expected: hex(&window.expected),
            bytes: window.expected.clone(),
        }
    }
}

/// The object of `--json`.
#[derive(Serialize)]
struct Json<'a> {
    outcome: Outcome,
    exit_code: u8,
    dry_run: bool,
    map: &'a Option<MapReport>,
    key: Option<String>,
    window: &'a Option<WindowReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_value: Option<String>,
    difference: &'a Option<Difference>,
    note: &'a Option<String>,
    error: &'a Option<String>,
}

/// Prints what there is of JSON, an error and a text, the first of them, and says whether that could be written.
pub fn print(json: Option<String>, error: Option<String>, text: impl Fn(bool) -> String) -> bool {
    let said = match (json, &error) {
        (Some(json), _) => json,
        (None, Some(error)) => {
            let _ = writeln!(io::stderr(), "{error}");
            return true;
        }
        (None, None) => text(colour(&io::stdout())),
    };
    let Err(why) = write(said.as_bytes()) else { return true };
    let lost = error.unwrap_or_else(|| {
        format!("cmpdel: {}; it was to say: {}", cannot_write(&why), text(false).trim_end())
    });
    let _ = writeln!(io::stderr(), "{lost}");
    false
}

/// Writes to standard output. A reader that went away changes nothing about what happens, so that is no error.
///
/// # Errors
/// Any other: a full disk.
pub fn write(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Why what was to be printed is not there.
#[must_use]
pub fn cannot_write(why: &io::Error) -> String {
    format!("standard output cannot be written to ({why})")
}

impl Report {
    /// One in which nothing has happened.
    #[must_use]
    pub fn new(dry_run: bool) -> Self {
        Self {
            outcome: Outcome::Error,
            dry_run,
            map: None,
            key: None,
            window: None,
            new_value: None,
            difference: None,
            note: None,
            error: None,
        }
    }

    /// Prints it and gives the exit code.
    #[must_use]
    pub fn print(&self, json: bool) -> u8 {
        let error = self.error.as_ref().map(|error| format!("cmpdel: {error}"));
        // Written or not, the exit code says what happened.
        print(json.then(|| self.json()), error, |colour| self.text(colour));
        self.outcome.exit_code()
    }

    fn json(&self) -> String {
        let json = Json {
            outcome: self.outcome,
            exit_code: self.outcome.exit_code(),
            dry_run: self.dry_run,
            map: &self.map,
            key: self.key.as_deref().map(hex),
            window: &self.window,
            new_value: self.new_value.as_deref().map(hex),
            difference: &self.difference,
            note: &self.note,
            error: &self.error,
        };
        // Strings, numbers and lists of them: there is nothing that could fail.
        serde_json::to_string(&json).unwrap_or_default() + "\n"
    }

    fn text(&self, colour: bool) -> String {
        let key = self.key.as_deref().map(hex).unwrap_or_default();
        let map = self.map.as_ref().map(|map| format!("map {} ({})", map.id, map.name)).unwrap_or_default();
        match self.outcome {
            Outcome::Deleted => format!("deleted: {key} from {map}\n"),
            Outcome::WouldBeDeleted => {
                format!("would be deleted: {key} from {map}; dry run, it is still there\n")
            }
            Outcome::Set => format!("set: {key} in {map}\n"),
            Outcome::WouldBeSet => format!("would be set: {key} in {map}; dry run, it is as it was\n"),
            Outcome::Absent => match &self.note {
                Some(note) => format!("no such key: {key} in {map} ({note})\n"),
                None => format!("no such key: {key} in {map}\n"),
            },
            _ => self.kept(&key, &map, colour),
        }
    }

    fn kept(&self, key: &str, map: &str, colour: bool) -> String {
        let Some(window) = &self.window else { return String::new() };
        let kept = if self.dry_run { "would be kept" } else { "kept" };
        let of = match &window.field {
            Some(field) => format!("`{field}`"),
            None => {
                format!("the window [{}, {})", window.offset, u64::from(window.offset) + window.size as u64)
            }
        };
        let note = self.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        let mut text = format!("{kept}: {key} in {map}: {of} differs{note}\n");
        if let Some(difference) = &self.difference {
            text += &difference.render(window.offset as usize, &window.bytes, colour);
        }
        text
    }
}

/// What a kernel has.
#[derive(Clone, Copy, Debug)]
pub struct Has {
    /// Compare-and-delete.
    pub delete: bool,
    /// Compare-and-update.
    pub update: bool,
}

/// Prints whether this kernel has compare-and-delete, and gives the exit code.
#[must_use]
pub fn print_support(support: &Result<Has, Failure>, json: bool) -> u8 {
    let (outcome, text, error) = match support {
        Ok(Has { delete: true, update: true }) => (
            Outcome::Deleted,
            "this kernel has compare-and-delete and compare-and-update (BPF_F_COMPARE)",
            None,
        ),
        Ok(Has { delete: true, .. }) => (
            Outcome::Deleted,
            "this kernel has compare-and-delete (BPF_F_COMPARE), and no compare-and-update",
            None,
        ),
        Ok(_) => (Outcome::Unsupported, "this kernel has no compare-and-delete (BPF_F_COMPARE)", None),
        Err(failure) => (failure.outcome, "", Some(&failure.message)),
    };
    let code = outcome.exit_code();
    let object = json.then(|| {
        let has = support.as_ref().ok();
        let object = serde_json::json!({
            "supported": has.map(|has| has.delete),
            "update": has.map(|has| has.update),
            "exit_code": code,
            "error": error,
        });
        format!("{object}\n")
    });
    print(object, error.map(|error| format!("cmpdel: {error}")), |_| format!("{text}\n"));
    code
}

/// Colours on a terminal only, and not where `NO_COLOR` is set to anything.
fn colour(out: &impl IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcome: Outcome) -> Report {
        let window = Window { offset: 8, expected: vec![42, 0, 0, 0], assumed: Vec::new() };
        Report {
            outcome,
            map: Some(MapReport { id: 7, name: "ct".into(), map_type: "hash" }),
            key: Some(vec![10, 0]),
            window: Some(WindowReport::new(&window, None)),
            ..Report::new(false)
        }
    }

    #[test]
    fn each_answer_has_its_sentence() {
        assert_eq!(report(Outcome::Deleted).text(false), "deleted: 0a 00 from map 7 (ct)\n");
        assert_eq!(report(Outcome::Absent).text(false), "no such key: 0a 00 in map 7 (ct)\n");
        assert!(report(Outcome::WouldBeDeleted).text(false).contains("still there"));
        assert_eq!(report(Outcome::Set).text(false), "set: 0a 00 in map 7 (ct)\n");
        assert!(report(Outcome::WouldBeSet).text(false).ends_with("dry run, it is as it was\n"));
        let mut kept = report(Outcome::Kept);
        kept.note = Some("as a later look-up shows it".into());
        kept.difference = Some(Difference::new(8, &[42, 0, 0, 0], &[43, 0, 0, 0], None));
        let text = kept.text(false);
        assert!(
            text.starts_with("kept: 0a 00 in map 7 (ct): the window [8, 12) differs (as a later look-up"),
            "{text}"
        );
        assert!(text.contains("expected  2a 00 00 00\n"), "{text}");
        kept.dry_run = true;
        assert!(kept.text(false).starts_with("would be kept"));
    }

    #[test]
    fn json_is_one_object_on_one_line() {
        let mut kept = report(Outcome::Kept);
        kept.difference = Some(Difference::new(8, &[42, 0, 0, 0], &[43, 0, 0, 0], None));
        assert_eq!(
            kept.json(),
            "{\"outcome\":\"kept\",\"exit_code\":1,\"dry_run\":false,\
             \"map\":{\"id\":7,\"name\":\"ct\",\"type\":\"hash\"},\"key\":\"0a 00\",\
             \"window\":{\"offset\":8,\"size\":4,\"field\":null,\"expected\":\"2a 00 00 00\"},\
             \"difference\":{\"actual\":\"2b 00 00 00\",\"bytes\":[8],\"fields\":[]},\
             \"note\":null,\"error\":null}\n"
        );
        let set = Report { new_value: Some(vec![43, 0]), ..report(Outcome::Set) };
        assert!(set.json().contains("\"new_value\":\"2b 00\","));
    }
}
