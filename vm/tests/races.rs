// SPDX-License-Identifier: MIT OR Apache-2.0
//! The races from the command line to the matrix, with a lab whose every word is made up: nothing here was observed in
//! any kernel.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail it by a panic")]

#[allow(dead_code, reason = "what vm-test alone is tested with")]
mod common;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use common::{Lab, wait_until};
use serde_json::Value;

struct Raced {
    code: Option<i32>,
    out: String,
    matrix: Value,
}

/// A model without a model, for the lab without a race.
fn made_up() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/model.jsonl").display().to_string()
}

/// xtask in the laboratory, with a made-up model.
fn command(lab: &Lab, arguments: &[&str], vars: &[(&str, &str)]) -> Command {
    let mut command = lab.command(arguments, vars);
    command.env("XTASK_MODEL", made_up()).env("XTASK_ASSUME_ROOT", "1");
    command
}

fn races(lab: &Lab, more: &[&str], vars: &[(&str, &str)]) -> Raced {
    let kernel = lab.kernel().display().to_string();
    let mut arguments = vec!["races", "--accel", "tcg", "--kernel-src", &kernel];
    arguments.extend(more);
    let output = command(lab, &arguments, vars).output().unwrap();
    let file = if more.contains(&"--here") { "here.json" } else { "matrix.json" };
    let text = fs::read(lab.path("target/races").join(file)).unwrap_or_default();
    raced(&output, &text)
}

fn raced(output: &Output, matrix: &[u8]) -> Raced {
    Raced {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        matrix: serde_json::from_slice(matrix).unwrap_or_default(),
    }
}

#[test]
fn evidence_that_agrees_fills_the_matrix() {
    let lab = Lab::new();
    let ran = races(&lab, &[], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(ran.out.trim_end().ends_with("3 passed, 0 failed, 0 skipped"), "{}", ran.out);
    for said in ["gc \\ refresh", "LOST 70k", "safe <100k", "replace: safe with prog on hash", "LOST lost"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let matrix = &ran.matrix;
    assert_eq!(matrix["verdict"], "passed");
    assert_eq!((&matrix["kernel"]["version"], &matrix["accel"]), (&"7.3.0-v3+kfunc".into(), &"tcg".into()));
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
const LABS: [(&str, &str, i32, &str); 10] = [
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
    ("fails", "", 1, "replace × prog on hash: the stress could not run: no veth in this kernel"),
    ("cut-off", "", 1, "the guest ended without finishing its steps"),
    ("hangs", "", 1, "it hangs in witness of store × blind on hash; evidence is missing in 2 cells"),
    ("panics", "panic-in-test", 1, "the kernel panicked in witness of store × blind on hash"),
    ("", "splat", 1, "the evidence agrees, but the kernel reported warning"),
    ("dies-first", "", 69, "the lab ended with 3 before its first step"),
    ("hangs-first", "", 69, "came up, then said nothing for 1 s"),
    ("", "no-boot", 69, "did not come up within 1 s"),
];

#[test]
fn each_way_the_races_can_go_ends_in_the_right_outcome() {
    let lab = Lab::new();
    for (goes, guest, code, reason) in LABS {
        let limits = ["--boot-timeout", "1", "--test-timeout", "1"];
        let ran = races(&lab, &limits, &[("XTASK_FAKE_LAB", goes), ("XTASK_FAKE_GUEST", guest)]);
        assert_eq!(ran.code, Some(code), "{goes} {guest}: {}", ran.out);
        let sentence = ran.matrix["reason"].as_str().unwrap_or_default();
        assert!(sentence.contains(reason), "{goes} {guest}: `{reason}` is not in: {sentence}");
        wait_until(&format!("{goes} leaves no process behind"), || lab.processes().is_empty());
    }
}

/// The real model, in the real xtask: nothing is installed, fetched or built for it, and none of the programs that would do it
/// is there.
#[test]
fn the_model_alone_takes_nothing_but_rust() {
    let lab = Lab::new();
    let run = |filter: &str| {
        let arguments = ["races", "--model-only", "--filter", filter];
        let path = lab.path("nothing").display().to_string();
        let vars = [("PATH", path.as_str()), ("XTASK_ASSUME_TOOLS", ""), ("XTASK_GUEST_BIN_DIR", "")];
        let output = lab.command(&arguments, &vars).output().unwrap();
        let text = fs::read(lab.path("target/races-model/matrix.json")).unwrap_or_default();
        raced(&output, &text)
    };
    let ran = run("store × blind on lru-hash");
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(
        ran.out.contains("model: LOST") && ran.out.contains(" passed, 0 failed, 0 skipped"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("$ "), "a command was run: {}", ran.out);
    assert!(ran.matrix["kernel"].is_null() && ran.matrix["machine"].is_null());
    let cell = &ran.matrix["cells"][0];
    assert!(cell["agree"].is_null() && cell["model"]["states"].as_u64() > Some(0), "{cell}");
    assert_eq!(ran.matrix["phases"].as_array().unwrap().len(), 1, "{}", ran.out);
    let none = run("nothing");
    assert_eq!(none.code, Some(69), "{}", none.out);
    assert_eq!(none.matrix["reason"], "no cell to look at: is --filter right?");
}

#[test]
fn the_machines_own_kernel_fills_its_half_of_the_matrix() {
    let lab = Lab::new();
    let ran = races(&lab, &["--here"], &[("XTASK_FAKE_GUEST", "no-boot")]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(ran.out.contains("lab races --here --events events.jsonl --model model.jsonl\n"), "{}", ran.out);
    assert!(ran.out.contains("no hypervisor") || ran.out.contains("under a hypervisor ("), "{}", ran.out);
    let matrix = &ran.matrix;
    assert_eq!(
        (&matrix["verdict"], &matrix["kernel"], &matrix["accel"]),
        (&"passed".into(), &Value::Null, &Value::Null)
    );
    let machine = &matrix["machine"];
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(machine["release"], release.trim());
    assert!(
        machine["cpus"].as_u64() > Some(0)
            && machine["hypervisor"].is_string()
            && machine["model"].is_string()
    );
    assert_eq!(matrix["cells"].as_array().unwrap().len(), 2);
    let safe = &matrix["cells"][1];
    assert_eq!(
        (&safe["agree"], &safe["disturbed"][0]["circumstance"]),
        (&true.into(), &"two-collectors".into())
    );
    let raw = fs::read_to_string(lab.path("target/races/here.jsonl")).unwrap();
    assert!(raw.lines().count() > 5 && raw.trim_end().ends_with(r#"{"event":"done","steps":5}"#), "{raw}");
    let long = races(&lab, &["--here", "--long", "--filter", "hash"], &[]);
    assert!(long.out.contains("--model model.jsonl --filter hash --long\n"), "{}", long.out);
}

#[test]
fn each_way_a_run_on_the_machines_own_kernel_can_go_ends_in_the_right_outcome() {
    let cases = [
        ("unmodelled", 1, "gap: the stress counted 1 in 100 deletes and 100 refreshes"),
        ("cut-off", 1, "the lab ended without finishing its steps"),
        (
            "hangs",
            1,
            "the lab said nothing for 1 s (--test-timeout), and was ended in witness of store × blind on hash",
        ),
        (
            "dies-first",
            69,
            "the lab ended with exit status: 3 before its first step; it said:\n    | no such map",
        ),
        (
            "hangs-first",
            69,
            "the lab said nothing for 1 s (--test-timeout), and was ended before its first step",
        ),
    ];
    let lab = Lab::new();
    for (goes, code, reason) in cases {
        let ran = races(&lab, &["--here", "--test-timeout", "1"], &[("XTASK_FAKE_LAB", goes)]);
        assert_eq!(ran.code, Some(code), "{goes}: {}", ran.out);
        let sentence = ran.matrix["reason"].as_str().unwrap_or_default();
        assert!(sentence.contains(reason), "{goes}: `{reason}` is not in: {sentence}");
        wait_until(&format!("{goes} leaves no process behind"), || lab.processes().is_empty());
    }
}

#[test]
fn a_run_on_the_machines_own_kernel_ends_with_whoever_started_it() {
    let lab = Lab::new();
    let kernel = lab.kernel().display().to_string();
    let start = || {
        let _ = fs::remove_file(lab.path("target/vm-test/run-races-here/events.jsonl"));
        let arguments = ["races", "--here", "--kernel-src", &kernel];
        let held = command(&lab, &arguments, &[("XTASK_FAKE_LAB", "hangs")]).spawn().unwrap();
        wait_until("the lab", || lab.path("target/vm-test/run-races-here/events.jsonl").exists());
        held
    };
    // Killed, it can do nothing any more, and yet the lab ends.
    let mut killed = start();
    killed.kill().unwrap();
    killed.wait().unwrap();
    wait_until("nothing is left of a killed run", || lab.processes().is_empty());
    // Interrupted, it says so, and keeps what the lab has said.
    let interrupted = start();
    let began = Instant::now();
    let pid = interrupted.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = interrupted.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    let ran = raced(&output, &fs::read(lab.path("target/races/here.json")).unwrap());
    assert_eq!(ran.code, Some(69), "{}", ran.out);
    assert!(ran.matrix["reason"].as_str().unwrap().ends_with("interrupted"), "{}", ran.matrix["reason"]);
    assert!(fs::read_to_string(lab.path("target/races/here.jsonl")).unwrap().contains("began"));
    wait_until("nothing is left of an interrupted run", || lab.processes().is_empty());
}

#[test]
fn json_has_standard_output_to_itself() {
    let lab = Lab::new();
    let kernel = lab.kernel().display().to_string();
    let output =
        command(&lab, &["races", "--json", "--accel", "tcg", "--kernel-src", &kernel], &[]).output().unwrap();
    let matrix: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(matrix["verdict"], "passed");
}

#[test]
fn vm_test_has_the_races_among_its_tests_for_the_kernel_with_the_series_alone() {
    let lab = Lab::new();
    let kernel = lab.kernel().display().to_string();
    let run = |vars: &[(&str, &str)]| {
        let arguments = ["vm-test", "--with-base", "--accel", "tcg", "--kernel-src", &kernel];
        lab.ran(&command(&lab, &arguments, vars).output().unwrap())
    };
    let ran = run(&[]);
    ran.expect(0, &["every promise was kept"]);
    let names: Vec<_> =
        ran.report["tests"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    let raced: Vec<_> = names.iter().filter(|name| name.contains("races::")).copied().collect();
    assert_eq!(
        raced,
        ["races::store::blind::hash", "races::store::blind::hash::connections", "races::replace::prog::hash"]
    );
    assert!(names.contains(&"base::keep::a"));
    let matrix: Value =
        serde_json::from_slice(&fs::read(lab.path("target/vm-test/matrix.json")).unwrap()).unwrap();
    assert_eq!((matrix["cells"].as_array().unwrap().len(), &matrix["verdict"]), (2, &"passed".into()));
    run(&[("XTASK_FAKE_LAB", "unmodelled")])
        .expect(1, &["evidence disagrees in 1 cell", "replace × prog on hash"]);
}
