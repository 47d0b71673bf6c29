// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever happens, vm-test ends in the right one of three outcomes, with one sentence that says why.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail it by a panic")]

mod common;

use std::fs;

use common::{Lab, PATCH, wait_until};

#[test]
fn a_good_kernel_passes_and_the_report_says_what_was_run() {
    let lab = Lab::new();
    let ran = lab.run(&[], &[]);
    ran.expect(0, &["every promise was kept"]);
    assert_eq!(ran.out.lines().last().unwrap(), "2 passed, 0 failed, 1 skipped");
    let report = &ran.report;
    assert_eq!(report["kernel"]["series"], "v3+kfunc");
    assert_eq!(report["kernel"]["patches"][0], "bpf: Count further");
    assert_eq!(report["kernel"]["version"], "7.3.0-v3+kfunc");
    assert_eq!(report["kernel"]["config_sha256"].as_str().unwrap().len(), 64);
    assert_eq!((&report["accel"], &report["profile"]), (&"tcg".into(), &"lean".into()));
    assert_eq!(report["splats"].as_array().unwrap().len(), 0);
    let tests: Vec<_> =
        report["tests"].as_array().unwrap().iter().map(|t| (&t["name"], &t["status"])).collect();
    assert_eq!(tests.len(), 3);
    assert_eq!(tests[1], (&"keep::a".into(), &"pass".into()));
    let phases = report["phases"].as_array().unwrap();
    assert!(phases.iter().any(|p| p["name"] == "kernel v3+kfunc" && p["cached"] == false));
    assert!(lab.image("v3+kfunc").contains("int four;") && !lab.image("v3+kfunc").contains("int three;"));
}

#[test]
fn with_base_both_kernels_are_tested_and_told_apart() {
    let lab = Lab::new();
    let ran = lab.run(&["--with-base"], &[]);
    ran.expect(0, &[]);
    let names: Vec<_> =
        ran.report["tests"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["host::bindings_in_step", "keep::a", "keep::b", "base::keep::a", "base::keep::b"]);
    assert_eq!(ran.report["base_kernel"]["version"], "7.3.0-base");
    assert!(lab.image("v3+kfunc").contains("int four;") && lab.image("base").contains("int three;"));
    assert!(ran.out.contains("starting from the objects of v3+kfunc"), "{}", ran.out);
}

/// How the guest goes, exit code, and what the sentence holds.
const GUESTS: [(&str, i32, &str); 12] = [
    ("fail", 1, "1 test failed: keep::b"),
    ("splat", 1, "the kernel reported warning: WARNING: CPU: 0"),
    ("panic-in-test", 1, "the kernel panicked in keep::b"),
    ("lie-then-panic", 1, "the kernel panicked"),
    ("hang-in-test", 1, "it hangs in keep::b"),
    ("panic-first", 69, "the kernel panicked before the first test"),
    ("hang-first", 69, "came up, then said nothing for 1 s"),
    ("no-boot", 69, "did not come up within 1 s"),
    ("qemu-dies", 69, "the guest ended before its first test"),
    ("ktap-only", 69, "the test program ended with 0 before its first test"),
    ("garbage", 69, "the guest wrote something that is no event"),
    ("skip", 0, "every promise was kept"),
];

#[test]
fn each_way_a_guest_can_go_ends_in_the_right_outcome() {
    let lab = Lab::new();
    for (guest, code, reason) in GUESTS {
        let ran = lab.run(&["--boot-timeout", "1", "--test-timeout", "1"], &[("XTASK_FAKE_GUEST", guest)]);
        ran.expect(code, &[reason]);
        if code == 1 {
            assert!(ran.out.contains("console-v3+kfunc.log"), "the console log is named: {}", ran.out);
        }
        wait_until(&format!("{guest} leaves no process behind"), || lab.processes().is_empty());
    }
}

#[test]
fn a_patch_that_does_not_apply_is_named_with_its_file() {
    let lab = Lab::new();
    lab.write("root/kernel-patches/v3/0002-y.patch", &PATCH.replace("int two", "int zwei"));
    let ran = lab.run(&[], &[]);
    ran.expect(69, &["0002-y.patch does not apply", "kernel/hashtab.c:4", "patch does not apply"]);
}

#[test]
fn a_variant_for_an_older_line_is_used_there_and_nowhere_else() {
    let lab = Lab::new();
    lab.write("root/kernel-patches/v3/7.2/0001-x.patch", &PATCH.replace("+int four", "+int older"));
    lab.run(&[], &[]).expect(0, &[]);
    assert!(lab.image("v3+kfunc").contains("int four;"));
    let makefile = fs::read_to_string(lab.kernel().join("Makefile")).unwrap();
    lab.write("kernel/Makefile", &makefile.replace("PATCHLEVEL = 3", "PATCHLEVEL = 2"));
    lab.run(&[], &[]).expect(0, &[]);
    assert!(lab.image("v3+kfunc").contains("int older;"));
}

#[test]
fn no_fuzz_is_allowed() {
    let lab = Lab::new();
    // patch(1) would take this with fuzz 1: the first line of context is another one.
    lab.write("root/kernel-patches/v3/0001-x.patch", &PATCH.replace(" int one;", " int eins;"));
    lab.run(&[], &[]).expect(69, &["0001-x.patch does not apply"]);
}

#[test]
fn an_unknown_series_is_refused_with_those_that_are_there() {
    let lab = Lab::new();
    lab.run(&["--series", "v9"], &[]).expect(69, &["no series `v9`", "base, kfunc, v3"]);
}

#[test]
fn a_config_option_that_kconfig_drops_stops_the_run() {
    let lab = Lab::new();
    lab.write("kernel/dropped", "CONFIG_BPF=\n");
    lab.run(&[], &[]).expect(69, &["CONFIG_BPF=y (final: absent)", "vm/config/"]);
    // What depends on it was added: the same cache goes on.
    lab.write("kernel/dropped", "");
    lab.run(&[], &[]).expect(0, &[]);
}

#[test]
fn a_compile_error_is_quoted_with_its_place() {
    let lab = Lab::new();
    lab.write("root/kernel-patches/v3/0001-x.patch", &PATCH.replace("+int four;", "+no such thing"));
    let ran = lab.run(&[], &[]);
    ran.expect(69, &["kernel/hashtab.c:1:1: error: 'no such thing' undeclared", "make -C"]);
    lab.write("root/kernel-patches/v3/0001-x.patch", PATCH);
    let cut_off = "the last build here did not come to its end";
    let ran = lab.run(&[], &[]);
    assert!(ran.code == Some(0) && ran.out.contains(cut_off), "{}", ran.out);
    lab.write("root/kernel-patches/v3/0001-x.patch", &PATCH.replace("four", "five"));
    let ran = lab.run(&[], &[]);
    assert!(ran.code == Some(0) && !ran.out.contains(cut_off), "{}", ran.out);
}

#[test]
fn a_folder_that_is_no_kernel_tree_is_refused() {
    let lab = Lab::new();
    fs::remove_dir_all(lab.kernel().join("kernel")).unwrap();
    lab.run(&[], &[]).expect(69, &["is no kernel tree"]);
}

#[test]
fn one_object_is_rebuilt_when_one_file_changed_and_none_when_none_did() {
    let lab = Lab::new();
    let counted = |ran: &common::Ran| {
        let log = fs::read_to_string(lab.path("target/vm-test/logs/kernel-build.log")).unwrap_or_default();
        let _ = fs::remove_file(lab.path("target/vm-test/logs/kernel-build.log"));
        assert_eq!(ran.code, Some(0), "{}", ran.out);
        log.lines().filter(|line| line.starts_with("  CC")).count()
    };
    assert_eq!(counted(&lab.run(&[], &[])), 4);
    assert_eq!(counted(&lab.run(&[], &[])), 0);
    lab.write("root/kernel-patches/v3/0001-x.patch", &PATCH.replace("four", "five"));
    assert_eq!(counted(&lab.run(&[], &[])), 1);
    assert!(lab.image("v3+kfunc").contains("int five;"));
    // Back to what was built before: no build at all.
    lab.write("root/kernel-patches/v3/0001-x.patch", PATCH);
    assert_eq!(counted(&lab.run(&[], &[])), 0);
}

#[test]
fn ones_own_tree_is_read_and_never_written() {
    let lab = Lab::new();
    let before = listing(&lab.kernel());
    lab.run(&[], &[]).expect(0, &[]);
    assert_eq!(listing(&lab.kernel()), before);
    // A change in it is seen.
    lab.write("kernel/kernel/b.c", "int changed;\n");
    lab.run(&[], &[]).expect(0, &[]);
    assert!(lab.image("v3+kfunc").contains("int changed;"));
    // So is a file that is gone.
    fs::remove_file(lab.kernel().join("kernel/b.c")).unwrap();
    lab.run(&[], &[]).expect(0, &[]);
    assert!(!lab.image("v3+kfunc").contains("int changed;"));
}

#[test]
fn the_events_tell_the_story_in_order() {
    let lab = Lab::new();
    lab.run(&[], &[]).expect(0, &[]);
    let text = fs::read_to_string(lab.path("target/vm-test/events.jsonl")).unwrap();
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |event: &str, name: &str| {
        let found = events.iter().position(|e| e["event"] == event && (name.is_empty() || e["name"] == name));
        found.unwrap_or_else(|| panic!("no {event} {name} in {text}"))
    };
    let order = [
        at("phase_done", "tools"),
        at("phase_done", "source"),
        at("phase_done", "series v3+kfunc"),
        at("phase_started", "kernel v3+kfunc"),
        at("progress", ""),
        at("phase_done", "kernel v3+kfunc"),
        at("phase_started", "boot v3+kfunc"),
        at("plan", ""),
        at("test_started", "keep::a"),
        at("test_finished", "keep::a"),
        at("test_finished", "keep::b"),
        at("verdict", ""),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn json_has_standard_output_to_itself() {
    let lab = Lab::new();
    let output = lab.vm_test(&["--json"], &[]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"], "passed");
    assert!(String::from_utf8_lossy(&output.stderr).contains("==> kernel v3+kfunc"));
}

/// Every path below `dir` with its length and time.
fn listing(dir: &std::path::Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let meta = entry.metadata().unwrap();
        lines.push(format!("{} {} {:?}", entry.path().display(), meta.len(), meta.modified().unwrap()));
        if meta.is_dir() {
            lines.extend(listing(&entry.path()));
        }
    }
    lines.sort();
    lines
}

#[test]
fn a_shell_has_the_programs_on_its_path_and_hands_on_how_it_ended() {
    let lab = Lab::new();
    lab.write("bin/cmpdel", "#!/bin/sh\necho from the guest\n");
    let kernel = lab.kernel().display().to_string();
    for (line, code) in [("command -v cmpdel; cmpdel", 0), ("cmpdel; exit 3", 1)] {
        let arguments = ["shell", "--accel", "tcg", "--kernel-src", &kernel, "--exec", line];
        let output = lab.command(&arguments, &[]).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{out}");
        assert!(out.contains("from the guest"), "{out}");
        assert!(code != 0 || out.contains("run-shell-"), "{out}");
    }
}

#[test]
fn a_mutant_is_caught_by_the_promise_that_it_names_and_by_no_other() {
    let lab = Lab::new();
    let mutant = |name: &str, caught_by: &str| {
        let mail =
            PATCH.replace("int three;\n+int four", "int four;\n+int five").replace("One more.", caught_by);
        lab.write(&format!("root/kernel-patches/mutants/{name}.patch"), &mail);
    };
    mutant("right", "Caught-by: keep::b");
    mutant("wrong", "Caught-by: keep::a");
    let kernel = lab.kernel().display().to_string();
    let run = |filter: &str, guest: &str| {
        let arguments = ["mutants", "--accel", "tcg", "--kernel-src", &kernel, "--filter", filter];
        let output = lab.command(&arguments, &[("XTASK_FAKE_GUEST", guest)]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    for (filter, guest, code, said) in [
        ("right", "fail", 0, "caught    right"),
        ("right", "", 1, "SURVIVED  right"),
        ("right", "panic-first", 1, "UNTESTED  right                                    the kernel panicked"),
        ("wrong", "fail", 1, "keep::a should have failed; failed have keep::b"),
    ] {
        let (ended, out) = run(filter, guest);
        assert_eq!(ended, Some(code), "{out}");
        assert!(out.contains(said), "{said}: {out}");
    }
    assert!(lab.image("v3+kfunc-variants").contains("int five;"));
}
