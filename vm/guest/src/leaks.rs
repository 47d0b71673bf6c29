// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that nobody points to any more, found by the kernel itself (kmemleak) once the tests are over.

use std::{path::Path, time::Duration};

use anyhow::Result;
use ground::cache::read_if_there;
use results::{Status, TestResult};

/// As the report names it.
pub const TEST: &str = "leaks::the_tests_leave_none_behind";
/// What the kernel found, written in the guest's folder as a whole.
const FOUND: &str = "kmemleak.txt";
/// Something younger than this is not reported yet.
const AGE: Duration = Duration::from_secs(6);
/// Lines of a report that are quoted.
const QUOTED: usize = 12;

/// `command` in the guest, a scan after it, and the status of `command`.
pub fn after(command: &str) -> String {
    let age = AGE.as_secs();
    // A pointer that was only on its way during the first scan is where it belongs during the second.
    format!(
        "{command}\nstatus=$?\n\
         grep -q /sys/kernel/debug /proc/mounts || mount -t debugfs debugfs /sys/kernel/debug\n\
         leaks=/sys/kernel/debug/kmemleak\n\
         sleep {age} && echo scan > $leaks && sleep {age} && echo scan > $leaks &&\n\
         cat $leaks > {FOUND}.new && mv {FOUND}.new {FOUND}\n(exit $status)"
    )
}

/// What came of the scan, from the guest's folder.
///
/// # Errors
/// When what the guest wrote cannot be read.
pub fn judge(run: &Path) -> Result<TestResult> {
    let (status, detail) = match read_if_there(&run.join(FOUND))? {
        None => (Status::Error, "the scan did not come to its end".to_owned()),
        Some(found) if found.trim().is_empty() => (Status::Pass, "two scans found nothing".to_owned()),
        Some(found) => {
            let count = found.lines().filter(|line| line.starts_with("unreferenced object")).count();
            let first: Vec<&str> = found.lines().take(QUOTED).map(str::trim).collect();
            (Status::Fail, format!("{count} objects: {}", first.join(" | ")))
        }
    };
    Ok(TestResult { name: TEST.into(), status, ms: 0, detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_a_scan_that_ended_and_found_nothing_passes() {
        let dir = std::env::temp_dir().join(format!("leaks-test-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        assert_eq!(judge(&dir).unwrap().status, Status::Error);
        fs::write(dir.join(FOUND), "").unwrap();
        assert_eq!(judge(&dir).unwrap().status, Status::Pass);
        fs::write(dir.join(FOUND), "unreferenced object 0xffff (size 64):\n  comm \"selftests\"\n").unwrap();
        let judged = judge(&dir).unwrap();
        assert_eq!(judged.status, Status::Fail);
        assert!(judged.detail.starts_with("1 objects: unreferenced object"), "{}", judged.detail);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn the_status_is_that_of_the_command() {
        let script = after("(exit 7)").replace("/sys/kernel/debug/kmemleak", "/nonexistent/kmemleak");
        let script = script.replace("sleep 6", "true").replace("mount -t", "true");
        let status = std::process::Command::new("sh").args(["-c", &script]).status().unwrap();
        assert_eq!(status.code(), Some(7));
    }
}
