// SPDX-License-Identifier: MIT OR Apache-2.0
//! The races from the command line to the matrix, with a lab whose every word is made up: nothing here was observed in
//! any kernel.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail it by a panic")]

#[allow(dead_code, reason = "what vm-test alone is tested with")]
mod common;

use std::fs;

use common::{Lab, wait_until};
use serde_json::Value;

struct Raced {
    code: Option<i32>,
    out: String,
    matrix: Value,
}

fn races(lab: &Lab, more: &[&str], vars: &[(&str, &str)]) -> Raced {
    let kernel = lab.kernel().display().to_string();
    let mut arguments = vec!["races", "--accel", "tcg", "--kernel-src", &kernel];
    arguments.extend(more);
    let output = lab.command(&arguments, vars).output().unwrap();
    let text = fs::read(lab.path("target/races/matrix.json")).unwrap_or_default();
    Raced {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        matrix: serde_json::from_slice(&text).unwrap_or_default(),
    }
}

#[test]
fn evidence_that_agrees_fills_the_matrix() {
    let lab = Lab::new();
    let ran = races(&lab, &[], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(ran.out.trim_end().ends_with("3 passed, 0 failed, 0 skipped"), "{}", ran.out);
    for said in ["gc \\ refresh", "LOST 70k", "safe <30k", "replace: safe with compare on hash", "LOST lost"]
    {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let matrix = &ran.matrix;
    assert_eq!(matrix["verdict"], "passed");
    assert_eq!((&matrix["kernel"]["version"], &matrix["accel"]), (&"7.3.0-v2".into(), &"tcg".into()));
    assert_eq!(matrix["cells"].as_array().unwrap().len(), 2);
    let cell = &matrix["cells"][0];
    assert_eq!(
        (&cell["refresh"], &cell["gc"], &cell["map"]),
        (&"store".into(), &"blind".into(), &"hash".into())
    );
    assert_eq!((&cell["witness"]["replayed"], &cell["witness"]["of"]), (&10.into(), &10.into()));
    assert_eq!(cell["stress"]["violations"]["lost_refresh"], 7);
    assert_eq!((&cell["agree"], &cell["connections"][0]["broken"]), (&true.into(), &3.into()));
    assert_eq!(cell["model"]["counterexample"][1]["function"], "htab_map_delete_elem");
    assert_eq!(matrix["verdicts"].as_array().unwrap().len(), 2);
}

/// How the lab goes, how the guest does, the exit code, and what the sentence holds.
const LABS: [(&str, &str, i32, &str); 13] = [
    (
        "not-replayed",
        "",
        1,
        "lost refresh: the model has a schedule, the kernel followed it in 9 of 10 replays; look at step 2",
    ),
    (
        "unmodelled",
        "",
        1,
        "gap: the stress counted 1 in 100 deletes and 100 refreshes; the model has no schedule",
    ),
    ("fails", "", 1, "replace × compare on hash: the stress could not run: no veth in this kernel"),
    ("cut-off", "", 1, "the guest ended without finishing its steps"),
    ("hangs", "", 1, "it hangs in witness of store × blind on hash; evidence is missing in 2 cells"),
    ("panics", "panic-in-test", 1, "the kernel panicked in witness of store × blind on hash"),
    ("", "splat", 1, "the evidence agrees, but the kernel reported warning"),
    ("dies-first", "", 69, "the lab ended with 3 before its first step"),
    ("hangs-first", "", 69, "came up, then said nothing for 1 s"),
    ("", "no-boot", 69, "did not come up within 1 s"),
    ("model-fails", "", 69, "no such step: cas"),
    ("model-hangs", "", 69, "it said nothing for 1 s"),
    ("model-lies", "", 69, "ended after 0 of 2 steps, as if all were done"),
];

#[test]
fn each_way_the_races_can_go_ends_in_the_right_outcome() {
    let lab = Lab::new();
    for (goes, guest, code, reason) in LABS {
        let limits = ["--boot-timeout", "1", "--test-timeout", "1"];
        let ran = races(&lab, &limits, &[("FAKE_LAB", goes), ("FAKE_GUEST", guest)]);
        assert_eq!(ran.code, Some(code), "{goes} {guest}: {}", ran.out);
        let sentence = ran.matrix["reason"].as_str().unwrap_or_default();
        assert!(sentence.contains(reason), "{goes} {guest}: `{reason}` is not in: {sentence}");
        wait_until(&format!("{goes} leaves no process behind"), || lab.processes().is_empty());
    }
}

#[test]
fn the_model_alone_builds_and_boots_no_kernel() {
    let lab = Lab::new();
    let ran = races(&lab, &["--model-only"], &[("FAKE_GUEST", "no-boot")]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(
        ran.out.contains("model: LOST") && ran.out.contains("2 passed, 0 failed, 0 skipped"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("bzImage"), "{}", ran.out);
    assert!(ran.matrix["kernel"].is_null() && ran.matrix["cells"][0]["agree"].is_null());
    let none = races(&lab, &["--model-only", "--filter", "nothing"], &[]);
    assert_eq!(none.code, Some(69), "{}", none.out);
    assert_eq!(none.matrix["reason"], "no cell to look at: is --filter right?");
}

#[test]
fn json_has_standard_output_to_itself() {
    let lab = Lab::new();
    let kernel = lab.kernel().display().to_string();
    let output =
        lab.command(&["races", "--json", "--accel", "tcg", "--kernel-src", &kernel], &[]).output().unwrap();
    let matrix: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(matrix["verdict"], "passed");
}

#[test]
fn vm_test_has_the_races_among_its_tests_for_the_kernel_with_the_series_alone() {
    let lab = Lab::new();
    let kernel = lab.kernel().display().to_string();
    let run = |vars: &[(&str, &str)]| {
        let arguments = ["vm-test", "--with-base", "--accel", "tcg", "--kernel-src", &kernel];
        lab.ran(&lab.command(&arguments, vars).output().unwrap())
    };
    let ran = run(&[]);
    ran.expect(0, &["every promise was kept"]);
    let names: Vec<_> =
        ran.report["tests"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    let raced: Vec<_> = names.iter().filter(|name| name.contains("races::")).copied().collect();
    assert_eq!(
        raced,
        [
            "races::store::blind::hash",
            "races::store::blind::hash::connections",
            "races::replace::compare::hash"
        ]
    );
    assert!(names.contains(&"base::keep::a"));
    let matrix: Value =
        serde_json::from_slice(&fs::read(lab.path("target/vm-test/matrix.json")).unwrap()).unwrap();
    assert_eq!((matrix["cells"].as_array().unwrap().len(), &matrix["verdict"]), (2, &"passed".into()));
    run(&[("FAKE_LAB", "unmodelled")])
        .expect(1, &["evidence disagrees in 1 cell", "replace × compare on hash"]);
}
