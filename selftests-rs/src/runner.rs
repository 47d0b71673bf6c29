// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs tests one after the other, whatever one of them does, and says what happened: events for the host, KTAP for people.

use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use results::{Event, Status, TestResult, write_event};

use crate::verdict::{Test, Verdict};
use crate::{Context, ktap};

/// True when every test passed or was skipped.
pub fn run(tests: &[Test], context: &Context, mut events: impl Write) -> Result<bool> {
    let mut send = |event: &Event| write_event(&mut events, event).context("cannot write the events");
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let names = tests.iter().map(|test| test.name.to_string()).collect();
    send(&Event::Plan { release, cpus: context.cpus, tests: names })?;
    let mut view = ktap::View::new(tests.len());
    remember_panics();
    libbpf_log::keep();
    let mut ok = true;
    for test in tests {
        send(&Event::Started { name: test.name.to_string() })?;
        let result = run_one(test, context);
        ok &= matches!(result.status, Status::Pass | Status::Skip);
        view.finished(&result);
        send(&Event::Finished(result))?;
    }
    send(&Event::Done { tests: tests.len() })?;
    view.done();
    Ok(ok)
}

fn run_one(test: &Test, context: &Context) -> TestResult {
    let start = Instant::now();
    libbpf_log::clear();
    panics().clear();
    let (status, detail) = match panic::catch_unwind(AssertUnwindSafe(|| (test.run)(context))) {
        Ok(Ok(Verdict::Pass(figures))) => (Status::Pass, figures),
        Ok(Ok(Verdict::Fail(seen))) => (Status::Fail, seen),
        Ok(Ok(Verdict::Skip(reason))) => (Status::Skip, reason),
        Ok(Err(error)) => (Status::Error, format!("{error:#}{}", libbpf_log::tail())),
        Err(_) => (Status::Error, panics().join("\n")),
    };
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    TestResult { name: test.name.to_string(), status, ms, detail }
}

/// What the panics of a test had to say, whichever of its threads they came from.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A panic is reported as its test's error, with its place, instead of on the console.
fn remember_panics() {
    panic::set_hook(Box::new(|info| panics().push(info.to_string())));
}

fn panics() -> MutexGuard<'static, Vec<String>> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use anyhow::bail;

    use super::*;
    use crate::Kernel;
    use crate::verdict::On;

    #[test]
    fn a_test_that_panics_or_errs_is_an_error_and_the_run_goes_on() {
        let context = Context {
            kernel: Kernel::Base,
            cmpdel: PathBuf::new(),
            quick: true,
            race_limit: Duration::ZERO,
            cpus: 1,
            calls: None,
            seed: 1,
        };
        let tests = [
            Test::new("a::panics", On::Both, |_| panic!("boom")),
            Test::new("a::errs", On::Both, |_| bail!("no map")),
            Test::new("a::skips", On::Both, |_| Ok(Verdict::Skip("not here".into()))),
            Test::new("a::fails", On::Both, |_| Ok(Verdict::Fail("seen".into()))),
            Test::new("a::passes", On::Both, |_| Ok(Verdict::Pass(String::new()))),
        ];
        let mut out = Vec::new();
        assert!(!run(&tests, &context, &mut out).unwrap());
        assert!(run(&tests[2..3], &context, Vec::new()).unwrap());
        drop(panic::take_hook());

        let events = results::read_events(&String::from_utf8(out).unwrap()).unwrap();
        let statuses: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Finished(result) => Some(result.status),
                _ => None,
            })
            .collect();
        assert_eq!(statuses, [Status::Error, Status::Error, Status::Skip, Status::Fail, Status::Pass]);
        assert_eq!(events.last(), Some(&Event::Done { tests: 5 }));
        assert!(format!("{events:?}").contains("boom"));
    }
}
