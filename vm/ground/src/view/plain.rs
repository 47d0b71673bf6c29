// SPDX-License-Identifier: MIT OR Apache-2.0
//! One line for each event worth a line: for logs and pipes.

use std::{
    io::{Write, stderr, stdout},
    time::{Duration, Instant},
};

use results::Status;

use crate::events::{Event, View};

/// Progress is told this often: a log wants a sign of life, not every object.
const PROGRESS_EVERY: Duration = Duration::from_secs(15);

/// Plain lines on standard output, or on standard error when that belongs to `--json`.
pub struct Plain {
    to_stderr: bool,
    last_progress: Instant,
}

impl Plain {
    /// A view that leaves standard output alone if `json`.
    pub fn new(json: bool) -> Self {
        Self { to_stderr: json, last_progress: Instant::now() }
    }

    fn line(&self, text: &str) {
        // A reader that went away (`| head`) is no reason to stop.
        let _ = if self.to_stderr { writeln!(stderr(), "{text}") } else { writeln!(stdout(), "{text}") };
    }
}

impl View for Plain {
    fn show(&mut self, event: &Event) {
        if let Event::Progress { .. } = event {
            if self.last_progress.elapsed() < PROGRESS_EVERY {
                return;
            }
            self.last_progress = Instant::now();
        }
        if let Some(text) = line_of(event) {
            self.line(&text);
        }
    }
}

/// The line that says `event`, if it deserves one.
pub fn line_of(event: &Event) -> Option<String> {
    Some(match event {
        Event::PhaseStarted { name } => format!("==> {name}"),
        Event::Progress { done, total, what } => format!("    {done}/{total} {what}"),
        Event::PhaseDone { name, seconds, cpu_seconds, cached } => {
            // What takes no time is not worth a figure.
            let cpu = if *cpu_seconds < 1.0 { String::new() } else { format!(", {cpu_seconds:.0} s of CPU") };
            format!("    {name}: {seconds:.1} s{cpu}{}", if *cached { ", cached" } else { "" })
        }
        Event::Command { line } => format!("    $ {line}"),
        Event::Output { .. } | Event::TestStarted { .. } => return None,
        Event::Note { text } => format!("    {text}"),
        Event::Waiting { text } => format!("    waiting: {text}"),
        Event::Plan { kernel, release, tests } => {
            format!("    {kernel} kernel {release} is up, {tests} tests")
        }
        Event::TestFinished(test) => {
            let status = match test.status {
                Status::Pass => "pass",
                Status::Fail => "FAIL",
                Status::Skip => "skip",
                Status::Error => "ERROR",
            };
            let detail = if test.detail.is_empty() { String::new() } else { format!(": {}", test.detail) };
            format!("    {status:5} {} ({} ms){detail}", test.name, test.ms)
        }
        Event::Verdict { outcome, reason, files } => {
            let mut text = format!("verdict: {}: {reason}", outcome.words());
            for file in files {
                text.push_str(&format!("\n    {}", file.display()));
            }
            text
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_tells_its_seconds_and_those_of_the_cpus_if_there_were_any() {
        let said = |cpu_seconds, cached| {
            line_of(&Event::PhaseDone { name: "kernel".into(), seconds: 2.04, cpu_seconds, cached })
        };
        assert_eq!(said(0.4, true).unwrap(), "    kernel: 2.0 s, cached");
        assert_eq!(said(3.6, false).unwrap(), "    kernel: 2.0 s, 4 s of CPU");
    }
}
