// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest says of its tests.

use ground::events::{Event, Events};
use results::{Event as GuestEvent, Status, TestResult};

use crate::{
    listener::Listener,
    machine::{End, Ended},
};

/// All that was learnt from one guest that ran tests.
#[derive(Debug)]
pub struct GuestRun {
    /// How it ended.
    pub end: End,
    /// The script began.
    pub up: bool,
    /// The tests that it said it would run.
    pub plan: Option<Vec<String>>,
    /// Those that ended.
    pub finished: Vec<TestResult>,
    /// The one that had begun and not ended.
    pub running: Option<String>,
    /// It said that all was done, and the count was right.
    pub done: bool,
    /// Exit status of the test program.
    pub status: Option<i32>,
    /// Guest seconds are not known; these are the host's, to the first event.
    pub boot_seconds: f64,
}

/// Takes in the events of the test program.
pub struct Tests {
    /// Which kernel, for the events.
    kernel: &'static str,
    /// Put before the names of tests.
    prefix: &'static str,
    run: GuestRun,
}

impl Tests {
    /// For a guest with this kernel; `prefix` is put before the names of its tests.
    pub fn new(kernel: &'static str, prefix: &'static str) -> Self {
        let run = GuestRun {
            end: End::Exited,
            up: false,
            plan: None,
            finished: Vec::new(),
            running: None,
            done: false,
            status: None,
            boot_seconds: 0.0,
        };
        Self { kernel, prefix, run }
    }

    /// With what was seen of the guest besides.
    pub fn ended(self, ended: Ended) -> GuestRun {
        let Ended { end, up, status, boot_seconds } = ended;
        GuestRun { end, up, status, boot_seconds, ..self.run }
    }
}

impl Listener for Tests {
    type Event = GuestEvent;

    fn take_in(&mut self, events: &Events, event: GuestEvent) {
        let prefix = self.prefix;
        let named = |name: String| format!("{prefix}{name}");
        match event {
            GuestEvent::Plan { release, cpus: _, tests } => {
                let kernel = self.kernel.to_owned();
                events.emit(&Event::Plan { kernel, release, tests: tests.len() });
                self.run.plan = Some(tests.into_iter().map(named).collect());
            }
            GuestEvent::Started { name } => {
                let name = named(name);
                events.emit(&Event::TestStarted { name: name.clone() });
                self.run.running = Some(name);
            }
            GuestEvent::Finished(mut test) => {
                test.name = named(test.name);
                self.run.running = None;
                self.run.finished.push(test.clone());
                let total = self.run.plan.as_ref().map_or(0, Vec::len) as u64;
                let (done, what) = (self.run.finished.len() as u64, test.name.clone());
                events.emit(&Event::TestFinished(test));
                events.emit(&Event::Progress { done, total, what });
            }
            GuestEvent::Done { tests } => self.run.done = tests == self.run.finished.len(),
        }
    }

    fn running(&self) -> Option<&str> {
        self.run.running.as_deref()
    }
}

/// Results for the tests that were planned and did not end: the one that was running failed by `why`.
pub fn unfinished(run: &GuestRun, why: &str) -> Vec<TestResult> {
    let ended = |name: &String| run.finished.iter().any(|test| &test.name == name);
    let planned = run.plan.iter().flatten().filter(|name| !ended(name));
    planned
        .map(|name| {
            let was_running = run.running.as_ref() == Some(name);
            let (status, detail) = if was_running {
                (Status::Fail, why.to_owned())
            } else {
                (Status::Error, format!("did not run: {why}"))
            };
            TestResult { name: name.clone(), status, ms: 0, detail }
        })
        .collect()
}
