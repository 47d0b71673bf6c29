// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel's selftests print, as results. Each program has a form of its own.

use std::collections::BTreeMap;

use results::{Status, TestResult};

use super::plan::Step;

/// The results within a step, and that of the step itself, by name. `ended` is what came of the process.
pub fn rows(step: &Step, ended: &TestResult, said: &str) -> BTreeMap<String, (Status, String)> {
    let mut rows = BTreeMap::new();
    let found = match step.program {
        "test_progs" => progs(said),
        "test_maps" => maps(said),
        _ => lru(said),
    };
    for (name, status) in found {
        // A failed test is printed twice, the second time in a summary.
        let row = rows.entry(format!("{}:{name}", step.program)).or_insert((status, String::new()));
        row.0 = worse(row.0, status);
    }
    let whole = rows.entry(step.name.clone()).or_insert((ended.status, String::new()));
    if ended.status != Status::Pass {
        *whole = (ended.status, format!("{}; {}", ended.detail, last_line(said)));
    }
    rows
}

fn worse(one: Status, other: Status) -> Status {
    let rank = |status| match status {
        Status::Pass => 0,
        Status::Skip => 1,
        Status::Fail => 2,
        Status::Error => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}

fn last_line(said: &str) -> &str {
    said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing")
}

/// `#12 name:OK`, `#12/3 name/subtest:SKIP`, `#12 name:OK (SKIP: 1/3)`, `#12 name:SKIP (not built)`.
fn progs(said: &str) -> Vec<(String, Status)> {
    let result = |line: &str| {
        let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
        number.split('/').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
        let (name, word) = rest.trim_start().rsplit_once(":OK").map_or_else(
            || {
                let at = ["FAIL", "SKIP"].iter().find_map(|word| rest.rfind(&format!(":{word}")))?;
                Some((rest[..at].trim_start(), &rest[at + 1..]))
            },
            |(name, _)| Some((name, "OK")),
        )?;
        let status = match word.get(..4) {
            Some("FAIL") => Status::Fail,
            Some("SKIP") => Status::Skip,
            _ => Status::Pass,
        };
        Some((name.to_owned(), status))
    };
    said.lines().filter_map(result).collect()
}

/// `test_htab_map_batch_ops:PASS` for those that say so.
fn maps(said: &str) -> Vec<(String, Status)> {
    let passed = said.lines().filter_map(|line| line.trim().strip_suffix(":PASS"));
    passed.map(|name| (name.to_owned(), Status::Pass)).collect()
}

/// `test_lru_sanity0 (map_type:9 map_flags:0x0): Pass`; a failed assertion ends the program in the middle of its line.
fn lru(said: &str) -> Vec<(String, Status)> {
    let result = |line: &str| {
        let (name, rest) = line.split_once(" (")?;
        let (what, word) = rest.split_once("): ")?;
        let status = if word.trim() == "Pass" { Status::Pass } else { Status::Fail };
        Some((format!("{name}/{}", what.replace(' ', "/")), status))
    };
    said.lines().filter(|line| line.starts_with("test_")).filter_map(result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_progs_is_understood() {
        let said = "#101/1   htab_update/reenter_update:OK\n#101/2   htab_update/concurrent_update:SKIP\n\
                    #101     htab_update:OK (SKIP: 1/2)\n#7  map_lock:FAIL\n#8       x:SKIP (not built)\n\
                    #100/1   a/b:c:OK\nSummary: 1/1 PASSED, 1 SKIPPED, 1 FAILED\n#1 no result\n";
        let expected = [
            ("htab_update/reenter_update", Status::Pass),
            ("htab_update/concurrent_update", Status::Skip),
            ("htab_update", Status::Pass),
            ("map_lock", Status::Fail),
            ("x", Status::Skip),
            ("a/b:c", Status::Pass),
        ];
        assert_eq!(progs(said), expected.map(|(name, status)| (name.to_owned(), status)));
    }

    #[test]
    fn the_older_programs_are_understood() {
        assert_eq!(
            maps("Fork 100 tasks to 'test_x'\ntest_htab_map_batch_ops:PASS\ntest_maps: OK, 0 SKIPPED\n"),
            [("test_htab_map_batch_ops".to_owned(), Status::Pass)]
        );
        let said = "nr_cpus:2\n\ntest_lru_sanity0 (map_type:9 map_flags:0x0): Pass\n\
                    test_lru_sanity1 (map_type:9 map_flags:0x2): test_lru_map: x.c:3: Assertion\n";
        assert_eq!(
            lru(said),
            [
                ("test_lru_sanity0/map_type:9/map_flags:0x0".to_owned(), Status::Pass),
                ("test_lru_sanity1/map_type:9/map_flags:0x2".to_owned(), Status::Fail)
            ]
        );
    }

    #[test]
    fn a_process_that_failed_is_a_row_whatever_it_printed() {
        let step = &super::super::plan::steps(&[], true)[1];
        let ended = TestResult {
            name: step.name.clone(),
            status: Status::Fail,
            ms: 1,
            detail: "exit status 255".into(),
        };
        let rows = rows(step, &ended, "no key\n");
        assert_eq!(rows[&step.name], (Status::Fail, "exit status 255; no key".to_owned()));
    }
}
