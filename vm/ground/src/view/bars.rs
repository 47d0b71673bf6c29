// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bar for the phase at hand, with its last line of output; what ended scrolls by above it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use results::Status;

use super::plain::line_of;
use crate::events::{Event, View};

/// Bars on standard error.
pub struct Bars {
    bar: Option<ProgressBar>,
    counted: ProgressStyle,
    spinner: ProgressStyle,
}

impl Bars {
    /// No bar yet.
    pub fn new() -> Self {
        let style = |template: &str| {
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        Self {
            bar: None,
            counted: style("{prefix:>10} [{bar:32}] {pos}/{len} {elapsed} {wide_msg}").progress_chars("=> "),
            spinner: style("{prefix:>10} {spinner} {elapsed} {wide_msg}"),
        }
    }

    fn above(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }
}

impl View for Bars {
    fn show(&mut self, event: &Event) {
        match event {
            Event::PhaseStarted { name } => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                bar.set_style(self.spinner.clone());
                bar.set_prefix(name.clone());
                bar.enable_steady_tick(Duration::from_millis(120));
                self.bar = Some(bar);
            }
            Event::Progress { done, total, what } => {
                if let Some(bar) = &self.bar {
                    if bar.length() != Some(*total) {
                        bar.set_style(self.counted.clone());
                        bar.set_length(*total);
                    }
                    bar.set_position(*done);
                    bar.set_message(what.clone());
                }
            }
            Event::Output { line } | Event::Command { line } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(line.clone());
                }
            }
            Event::TestStarted { name } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(name.clone());
                }
            }
            Event::TestFinished(test) if matches!(test.status, Status::Pass) => {}
            Event::PhaseDone { .. } | Event::Verdict { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
                if let Some(text) = line_of(event) {
                    eprintln!("{text}");
                }
            }
            _ => {
                if let Some(text) = line_of(event) {
                    self.above(&text);
                }
            }
        }
    }
}
