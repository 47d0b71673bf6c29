// SPDX-License-Identifier: MIT OR Apache-2.0
//! One typed stream of what happens. Views show it, `events.jsonl` keeps it, tests assert on it.

use std::{
    cell::RefCell,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use results::TestResult;
use serde::Serialize;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A phase begins.
    PhaseStarted {
        /// Its name, as the report has it.
        name: String,
    },
    /// Work done within the phase, in units of its own (objects, tests).
    Progress {
        /// So far.
        done: u64,
        /// Expected in all.
        total: u64,
        /// The thing at hand.
        what: String,
    },
    /// A phase ended well.
    PhaseDone {
        /// Its name.
        name: String,
        /// Wall time.
        seconds: f64,
        /// Time of CPUs, user and system.
        cpu_seconds: f64,
        /// Nothing had to be done.
        cached: bool,
    },
    /// An external command is started.
    Command {
        /// As one could type it.
        line: String,
    },
    /// A line that a command or the guest's console said.
    Output {
        /// The line.
        line: String,
    },
    /// Worth knowing.
    Note {
        /// One sentence.
        text: String,
    },
    /// Another run holds what this one needs.
    Waiting {
        /// What is waited for, and whose it is.
        text: String,
    },
    /// The guest is up and will run these tests.
    Plan {
        /// Which kernel, in the words of who booted it.
        kernel: String,
        /// `uname -r` of the guest.
        release: String,
        /// How many tests.
        tests: usize,
    },
    /// A test begins in the guest.
    TestStarted {
        /// Its name, as the report has it.
        name: String,
    },
    /// A test ended.
    TestFinished(TestResult),
    /// What came of a run.
    Verdict {
        /// Which of the three.
        outcome: Outcome,
        /// Why, in one sentence.
        reason: String,
        /// Where the console log and the report are.
        files: Vec<PathBuf>,
    },
}

/// How a command ended, and its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was asked for was checked and holds.
    Passed,
    /// A test failed, the kernel splatted, or a check found a fault.
    Failed,
    /// A tool, space, the source, a patch, the build or the boot stood in the way.
    CouldNotRun,
}

impl Outcome {
    /// 0, 1 or 69 (`EX_UNAVAILABLE` of sysexits.h).
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::CouldNotRun => 69,
        }
    }

    /// As the verdict says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::CouldNotRun => "could not run",
        }
    }

    /// `Passed` only if every part is.
    pub fn from_ok(ok: bool) -> Self {
        if ok { Self::Passed } else { Self::Failed }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

/// Shows events to someone.
pub trait View {
    /// Shows one event.
    fn show(&mut self, event: &Event);
}

/// Where events go: a view, and a file once there is one.
pub struct Events {
    view: RefCell<Box<dyn View>>,
    file: RefCell<Option<File>>,
}

impl Events {
    /// Events shown by `view` and kept nowhere.
    pub fn new(view: Box<dyn View>) -> Self {
        Self { view: RefCell::new(view), file: RefCell::new(None) }
    }

    /// Keeps the events from now on in `path`, one JSON object a line.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn keep_in(&self, path: &Path) -> Result<()> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        *self.file.borrow_mut() = Some(file);
        Ok(())
    }

    /// Tells everyone.
    pub fn emit(&self, event: &Event) {
        self.view.borrow_mut().show(event);
        if matches!(event, Event::Output { .. }) {
            return; // its own log has it
        }
        if let Some(file) = self.file.borrow_mut().as_mut()
            && let Ok(line) = serde_json::to_string(event)
        {
            // A full disk must not hide the sentence that says so.
            let _ = writeln!(file, "{line}");
        }
    }

    /// A [`Event::Note`].
    pub fn note(&self, text: impl Into<String>) {
        self.emit(&Event::Note { text: text.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let codes = [Outcome::Passed, Outcome::Failed, Outcome::CouldNotRun].map(Outcome::code);
        assert_eq!(codes, [0, 1, 69]);
    }
}
