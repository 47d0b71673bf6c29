// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what was seen of a guest to one of the three outcomes. Nothing here touches the machine.

use anyhow::{Result, bail};
use ground::outcome::Outcome;
use results::{Status, TestResult};

pub use crate::course::Course;
use crate::{
    machine::Ended,
    splat,
    test_run::{GuestRun, unfinished},
};

/// What one guest showed.
#[derive(Debug)]
pub struct Judged {
    /// `Passed` or `Failed`.
    pub outcome: Outcome,
    /// One result for each test that was planned.
    pub tests: Vec<TestResult>,
    /// Kernel reports, `what: line`.
    pub splats: Vec<String>,
    /// Why it failed, in one sentence; empty if it did not.
    pub reason: String,
}

/// Judges a guest by the result channel, and its kernel by the console.
///
/// # Errors
/// When the guest never came to its tests: that says nothing of the promises.
pub fn judge(run: &GuestRun, console: &str, boot_limit: u64, silence_limit: u64) -> Result<Judged> {
    let GuestRun { end, up, status, boot_seconds, .. } = *run;
    let course = Course {
        ended: Ended { end, up, status, boot_seconds },
        begun: run.plan.is_some(),
        done: run.done,
        running: run.running.as_deref(),
        program: "test program",
        unit: "test",
        boot_limit,
        silence_limit,
    };
    course.began(console)?;
    if run.plan.as_ref().is_some_and(Vec::is_empty) {
        bail!("no test to run: is --filter right?");
    }
    let scanned = splat::scan(console);
    let splats = scanned.clone().unwrap_or_default();
    let mut reason = course.cut_short();
    let mut tests = run.finished.clone();
    tests.extend(unfinished(run, &reason));
    let broken: Vec<&str> = tests.iter().filter(|t| is_broken(t.status)).map(|t| t.name.as_str()).collect();
    if reason.is_empty() {
        reason = if !broken.is_empty() {
            broken_words(&broken)
        } else if let Some(first) = splats.first() {
            format!("every test passed, but the kernel reported {first}")
        } else if let Err(why) = scanned {
            why
        } else if run.status != Some(0) {
            format!("every test passed, yet the test program ended with {}", run.status.unwrap_or(-1))
        } else if tests.iter().all(|t| t.status == Status::Skip) {
            "every test was skipped".into()
        } else {
            String::new()
        };
    }
    Ok(Judged { outcome: Outcome::from_ok(reason.is_empty()), tests, splats, reason })
}

/// A test that did not keep its promise, or could not be run.
pub fn is_broken(status: Status) -> bool {
    matches!(status, Status::Fail | Status::Error)
}

/// The broken tests by name, the first few of them.
pub fn broken_words(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names[..names.len() - more].join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} {} failed: {shown}{more}", names.len(), if names.len() == 1 { "test" } else { "tests" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::End;

    const CLEAN: &str = "[    0.000000] Linux version 7.3\n";
    const PANIC: &str = "[    0.000000] Linux version 7.3\n[    1.000000] Kernel panic - not syncing: x\n";

    fn test(name: &str, status: Status) -> TestResult {
        TestResult { name: name.into(), status, ms: 1, detail: String::new() }
    }

    fn good() -> GuestRun {
        GuestRun {
            end: End::Exited,
            up: true,
            plan: Some(vec!["a".into(), "b".into()]),
            finished: vec![test("a", Status::Pass), test("b", Status::Pass)],
            running: None,
            done: true,
            status: Some(0),
            boot_seconds: 1.0,
        }
    }

    /// How a run of two tests is spoilt, the console, and the beginning of the reason.
    type Case = (&'static str, fn(&mut GuestRun), &'static str, &'static str);

    #[test]
    fn one_sign_of_trouble_is_enough_to_fail() {
        let cases: [Case; 9] = [
            ("a test fails", |r| r.finished[1].status = Status::Fail, CLEAN, "1 test failed: b"),
            ("a test cannot run", |r| r.finished[1].status = Status::Error, CLEAN, "1 test failed: b"),
            (
                "a splat",
                |_| (),
                "[    1.000000] WARNING: x\n",
                "every test passed, but the kernel reported warning",
            ),
            ("no log to scan", |_| (), "", "the console log holds no line"),
            ("status says no", |r| r.status = Some(1), CLEAN, "every test passed, yet"),
            ("no status", |r| r.status = None, CLEAN, "the guest ended without finishing"),
            ("no Done", |r| r.done = false, CLEAN, "the guest ended without finishing"),
            ("all passed, then a panic", |r| r.end = End::Panicked, PANIC, "the kernel panicked"),
            (
                "all skipped",
                |r| r.finished.iter_mut().for_each(|t| t.status = Status::Skip),
                CLEAN,
                "every test was",
            ),
        ];
        assert_eq!(judge(&good(), CLEAN, 1, 1).unwrap().outcome, Outcome::Passed);
        for (what, spoil, console, reason) in cases {
            let mut run = good();
            spoil(&mut run);
            let judged = judge(&run, console, 1, 1).unwrap();
            assert_eq!(judged.outcome, Outcome::Failed, "{what}");
            assert!(judged.reason.starts_with(reason), "{what}: {}", judged.reason);
        }
    }

    #[test]
    fn a_hang_fails_the_test_that_was_running_and_the_rest_did_not_run() {
        let mut run = good();
        run.plan = Some(vec!["a".into(), "b".into(), "c".into()]);
        run.finished.truncate(1);
        (run.end, run.running, run.done, run.status) = (End::Silent, Some("b".into()), false, None);
        let judged = judge(&run, CLEAN, 1, 7).unwrap();
        assert_eq!(judged.reason, "no word from the guest for 7 s (--test-timeout): it hangs in b");
        let statuses: Vec<_> = judged.tests.iter().map(|t| (t.name.as_str(), t.status)).collect();
        assert_eq!(statuses, [("a", Status::Pass), ("b", Status::Fail), ("c", Status::Error)]);
    }

    #[test]
    fn a_guest_that_never_came_to_its_tests_could_not_run() {
        let cases: [(End, &str, Option<i32>, &str); 5] = [
            (End::Panicked, PANIC, None, "the kernel panicked before the first test"),
            (End::BootTimeout, CLEAN, None, "the guest did not come up within 9 s"),
            (End::GaveUp, CLEAN, None, "KVM could not go on with the guest; --accel tcg"),
            (End::Exited, CLEAN, Some(127), "the test program ended with 127"),
            (End::Exited, CLEAN, None, "the guest ended before its first test"),
        ];
        for (end, console, status, reason) in cases {
            let run = GuestRun { end, plan: None, status, done: false, finished: Vec::new(), ..good() };
            let error = judge(&run, console, 9, 1).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{error}");
        }
        // In the middle as well: it is no fault of the kernel's.
        assert!(judge(&GuestRun { end: End::GaveUp, ..good() }, CLEAN, 9, 1).is_err());
    }
}
