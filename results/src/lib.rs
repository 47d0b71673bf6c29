// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the guest says of its tests and the host reads: one JSON [`Event`] a line, in a file that both see.
//!
//! The console carries KTAP for people; nothing is ever decided from it, since the kernel writes there too.
//! A run is complete only if its last line is [`Event::Done`]: anything else is a guest that did not finish.

pub mod bench;
mod environment;
pub mod races;
pub mod rows;
pub mod soak;
pub mod time;

use std::io::{self, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::environment::{Accel, BASE, KernelReport};

/// How a test ended. `Error` means that the test could not be run, which is not a word on the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The promise was kept.
    Pass,
    /// The promise was broken; `detail` says what was seen.
    Fail,
    /// Not applicable here; `detail` is the reason.
    Skip,
    /// The test itself could not run; `detail` is the error.
    Error,
}

/// One test's result, as `report.json` holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// The promise, as a path: `topic::promise`.
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// Guest time in milliseconds.
    pub ms: u64,
    /// Why it failed, was skipped or could not run; for a pass, figures worth keeping. May be empty.
    pub detail: String,
}

/// One line of the event file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First line: what will run, in order.
    Plan {
        /// `uname -r` of the guest.
        release: String,
        /// CPUs online in the guest.
        cpus: usize,
        /// The names of the tests.
        tests: Vec<String>,
    },
    /// A test begins.
    Started {
        /// Its name.
        name: String,
    },
    /// A test ended.
    Finished(TestResult),
    /// Last line: every planned test has ended.
    Done {
        /// How many `Finished` lines went before.
        tests: usize,
    },
}

/// Writes one event as one line and flushes it, so that a crash right after loses nothing.
///
/// # Errors
/// Those of the writer.
pub fn write_event(out: &mut impl Write, event: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(event).map_err(io::Error::other)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Reads the events of `text`. A last line without its newline is a write cut short and is left out.
///
/// # Errors
/// The number and text of the first whole line that is no event.
pub fn read_events<E: DeserializeOwned>(text: &str) -> Result<Vec<E>, String> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .enumerate()
        .map(|(i, line)| serde_json::from_str(line).map_err(|e| format!("line {}: {e}: {line}", i + 1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_short_is_left_out_and_a_broken_one_is_named() {
        let mut out = Vec::new();
        write_event(&mut out, &Event::Started { name: "a::b".into() }).unwrap();
        let whole = String::from_utf8(out).unwrap();
        let cut = format!("{whole}{}", &whole[..10]);
        assert_eq!(read_events::<Event>(&cut).unwrap(), [Event::Started { name: "a::b".into() }]);
        assert!(read_events::<Event>("{}\n").unwrap_err().starts_with("line 1"));
    }

    #[test]
    fn a_result_reads_as_the_report_shows_it() {
        let result = TestResult { name: "a::b".into(), status: Status::Skip, ms: 3, detail: "no".into() };
        let json = serde_json::to_string(&Event::Finished(result)).unwrap();
        assert_eq!(json, r#"{"event":"finished","name":"a::b","status":"skip","ms":3,"detail":"no"}"#);
    }
}
