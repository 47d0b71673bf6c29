// SPDX-License-Identifier: MIT OR Apache-2.0
//! A soak from the command line to its record, with a lab whose every word is made up.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail it by a panic")]

#[allow(dead_code, reason = "what vm-test alone is tested with")]
mod common;

use std::fs;

use common::Lab;
use serde_json::Value;

/// Exit code, all that was said, and the record of that name.
fn soak(lab: &Lab, more: &[&str], vars: &[(&str, &str)], record: &str) -> (Option<i32>, String, Value) {
    let kernel = lab.kernel().display().to_string();
    let mut arguments = vec!["soak", "--quick", "--kernel-src", &kernel];
    arguments.extend(more);
    let output = lab.command(&arguments, vars).env("XTASK_ASSUME_ROOT", "1").output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let text = fs::read(lab.path("target/soak").join(record)).unwrap_or_default();
    (output.status.code(), out, serde_json::from_slice(&text).unwrap_or_default())
}

/// How the lab or the guest goes, exit code, and what the sentence holds.
const CASES: [(&str, &str, i32, &str); 7] = [
    ("", "", 0, "nothing was lost, and memory is flat"),
    ("XTASK_FAKE_LAB", "loses", 1, "1 test failed: soak::work::a"),
    ("XTASK_FAKE_LAB", "leaks", 1, "1 test failed: soak::memory::map: a"),
    ("XTASK_FAKE_LAB", "cut-off", 1, "the guest ended without finishing its samples"),
    ("XTASK_FAKE_LAB", "dies-first", 69, "the lab ended with 3 before its first sample"),
    ("XTASK_FAKE_GUEST", "splat", 1, "the kernel reported warning"),
    ("XTASK_FAKE_GUEST", "no-boot", 69, "did not come up within 1 s"),
];

#[test]
fn a_guest_ends_in_the_right_one_of_three_outcomes() {
    for (name, how, code, why) in CASES {
        let lab = Lab::new();
        let vars: &[_] = if name.is_empty() { &[] } else { &[(name, how)] };
        let more = ["--accel", "tcg", "--boot-timeout", if how == "no-boot" { "1" } else { "60" }];
        let (ended, out, record) = soak(&lab, &more, vars, "v3+kfunc.json");
        assert_eq!(ended, Some(code), "{how}: {out}");
        assert!(record["reason"].as_str().unwrap().contains(why), "{how}: {record}");
        assert_eq!(record["soak"].is_null(), code == 69, "{how}: {record}");
    }
}

#[test]
fn here_it_is_the_same_and_what_was_said_is_kept() {
    let lab = Lab::new();
    let (code, out, record) = soak(&lab, &["--here"], &[], "here.json");
    assert_eq!(code, Some(0), "{out}");
    assert!(out.trim_end().ends_with("2 passed, 0 failed, 1 skipped"), "{out}");
    assert_eq!(record["soak"]["samples"], 40);
    assert_eq!(record["soak"]["trends"][0]["verdict"], "flat");
    let said = fs::read_to_string(lab.path("target/soak/here.jsonl")).unwrap();
    assert_eq!(said.lines().count(), 43);
    let (code, out, _) = soak(&lab, &["--here"], &[("XTASK_FAKE_LAB", "dies-first")], "here.json");
    assert_eq!(code, Some(69), "{out}");
    assert!(out.contains("before its first sample") && out.contains("no such map"), "{out}");
}
