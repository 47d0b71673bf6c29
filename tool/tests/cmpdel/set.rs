// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel set` on whatever kernel this runs: without compare-and-update it ends with exit 4 and every value is as it was. Needs
//! root; without, each test says `skipped:` and why.

use std::os::fd::AsFd as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use cmpdel_uapi::bindings::BPF_MAP_TYPE_HASH;
use cmpdel_uapi::{Map, Support, probe_update};
use cmpdel_uapi_raw as raw;

use crate::common::{Fixture, KEY, Run, VALUE, cmpdel, cmpdel_with_input, cmpdel_words, file};

/// Whether this kernel has compare-and-update.
static UPDATES: LazyLock<bool> =
    LazyLock::new(|| probe_update(BPF_MAP_TYPE_HASH).unwrap() == Support::Supported);

/// What a run did: exit code, and what the value is now.
#[track_caller]
fn assert_run(what: &str, fixture: &Fixture, before: &[u8], run: &Run, code: i32, after: &[u8]) {
    let (code, after) = if *UPDATES || code == 2 { (code, after) } else { (4, before) };
    assert_eq!(run.code, code, "{what}: {run:?}");
    assert_eq!(fixture.value().as_deref(), Some(after), "{what}: {run:?}");
    if code == 4 {
        assert!(run.stderr.contains("no compare-and-update"), "{what}: {run:?}");
        assert!(run.stderr.contains("nothing was changed"), "{what}: {run:?}");
    }
}

#[test]
fn each_form_sets_what_is_equal_and_keeps_what_is_not() {
    let new = [0x2b, 0, 0, 0, 1, 2, 3, 4];
    let rows = [
        ("--expect u64be:0x2a00000001020304 --value u64be:0x2b00000001020304", 0, new),
        ("--expect u32:42 --offset 0 --value u32:43", 0, new),
        ("--expect 0x2a --offset 0 --value 0x2b --size 1", 0, new),
        ("--expect u32:42 --offset 0 --value u32:43 --rest-as-seen", 0, new),
        ("--expect u32:42 --offset 0 --value u32:43 --dry-run", 0, VALUE),
        ("--expect u64be:0x2a00000001020305 --value u64be:0x2b00000001020304", 1, VALUE),
        ("--expect u32:41 --offset 0 --value u32:43", 1, VALUE),
        ("--expect u32:41 --offset 0 --value u32:43 --dry-run", 1, VALUE),
        ("--expect u64be:0x2a00000001020304 --value 0x2b", 2, VALUE),
        ("--expect u32:42 --offset 0 --value u64:43", 2, VALUE),
        ("--expect u64be:0x2a00000001020304 --value -5", 2, VALUE),
    ];
    for (args, code, after) in rows {
        let Some(fixture) = Fixture::new("set_forms") else { return };
        let run = cmpdel(&format!("set --id {} --key u32be:0x0a000001 {args}", fixture.id()));
        assert_run(args, &fixture, &VALUE, &run, code, &after);
    }
}

#[test]
fn no_entry_is_made_and_no_other_is_changed() {
    let Some(fixture) = Fixture::new("set_absent") else { return };
    raw::update(fixture.fd.as_fd(), &[9; 4], &VALUE, 0).unwrap();
    let rows = [
        "--expect u32:42 --offset 0 --value u32:43",
        "--expect u32:42 --offset 0 --value u32:43 --dry-run",
        "--expect u64be:0x2a00000001020304 --value u64be:0x2b00000001020304",
    ];
    for args in rows {
        let run = cmpdel(&format!("set --id {} --key u32be:0x0a000002 {args}", fixture.id()));
        assert_run(args, &fixture, &VALUE, &run, 3, &VALUE);
        assert_eq!(fixture.entries(), 2, "{args}");
    }
    let run = cmpdel(&format!("set --id {} --key u32be:0x0a000001 {}", fixture.id(), rows[0]));
    assert_eq!(run.code, if *UPDATES { 0 } else { 4 }, "{run:?}");
    let other = Map::new(fixture.fd.as_fd()).unwrap().lookup(&[9; 4]).unwrap();
    assert_eq!((other.as_deref(), fixture.entries()), (Some(&VALUE[..]), 2));
}

#[test]
fn fields_are_set_by_name_and_all_others_stay() {
    let before = |fixture: &Fixture| fixture.value().unwrap();
    // lifetime at 8, state at 12, seen one bit of the byte at 22.
    type Row = (&'static [&'static str], i32, &'static [(usize, u8)], &'static str);
    let rows: [Row; 9] = [
        (&["--field", "lifetime", "--expect", "42", "--value", "50"], 0, &[(8, 50)], ""),
        (
            &["--expect", "{\"lifetime\": 42}", "--value", "{\"lifetime\": 50, \"state\": \"CT_OPEN\"}"],
            0,
            &[(8, 50), (12, 0)],
            "",
        ),
        (&["--expect", "{\"lifetime\": 42}", "--value", "{\"seen\": 1}"], 0, &[(22, 1)], ""),
        (
            &["--field", "lifetime", "--expect", "41", "--value", "50"],
            1,
            &[],
            "lifetime (__u32 at 8): expected 41, actual 42",
        ),
        (
            &["--field", "lifetime", "--expect", "42", "--value", "4294967296"],
            2,
            &[],
            "--value: 4294967296 does",
        ),
        (&["--field", "lifetime", "--expect", "42", "--value", "{\"state\": 1}"], 2, &[], "--value: "),
        (&["--expect", "{\"lifetime\": 42}", "--value", "50"], 2, &[], "--value: "),
        (&["--expect", "{\"lifetime\": 42}", "--value", "{}"], 2, &[], "--value: the JSON names no field"),
        (&["--field", "nope", "--expect", "42", "--value", "50"], 2, &[], "no field `nope`"),
    ];
    for (args, code, changes, said) in rows {
        let Some(fixture) = Fixture::with_btf("set_fields") else { return };
        let id = fixture.id().to_string();
        let before = before(&fixture);
        let mut after = before.clone();
        for &(at, byte) in changes {
            // Numbers that fit a byte: the lowest of the field.
            let big = cfg!(target_endian = "big") && at == 8;
            after[if big { at + 3 } else { at }] =
                if cfg!(target_endian = "big") && at == 22 { byte << 7 } else { byte };
        }
        let words = ["set", "--id", &id, "--key", "u32:7"].into_iter().chain(args.iter().copied());
        let run = cmpdel_words(&words.collect::<Vec<_>>());
        assert_run(&args.join(" "), &fixture, &before, &run, code, &after);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(run.code == 4 || text.contains(said), "{args:?}: {run:?}");
    }
}

#[test]
fn a_whole_value_comes_from_a_file_or_standard_input() {
    let new = [9; 8];
    for (args, input) in [
        (format!("--expect @{} --value @{}", file("set_seen", &VALUE), file("set_new", &new)), &[][..]),
        (format!("--expect @{} --value -", file("set_seen", &VALUE)), &new),
    ] {
        let Some(fixture) = Fixture::new("set_files") else { return };
        let run =
            cmpdel_with_input(&format!("set --id {} --key u32be:0x0a000001 {args}", fixture.id()), input);
        assert_run(&args, &fixture, &VALUE, &run, 0, &new);
    }
    let Some(fixture) = Fixture::new("set_files") else { return };
    let run = cmpdel(&format!("set --id {} --key u32be:0x0a000001 --expect - --value -", fixture.id()));
    assert_eq!(
        (run.code, run.stderr.contains("--expect and --value cannot both be read")),
        (2, true),
        "{run:?}"
    );
}

#[test]
fn what_is_longer_than_a_window_says_how_to_narrow_it() {
    let long = [7; 80];
    let bytes = format!("0x{}", "07".repeat(80));
    let rows = [
        (format!("--key u32be:0x0a000001 --expect {bytes}"), 2, "narrow it"),
        (format!("set --key u32be:0x0a000001 --expect {bytes} --value {bytes}"), 2, "narrow it"),
        ("set --key u32be:0x0a000001 --expect 0x07 --offset 9 --value 0x08".into(), 2, "--rest-as-seen"),
        ("set --key u32be:0x0a000001 --expect 0x07 --offset 9 --value 0x08 --rest-as-seen".into(), 0, ""),
    ];
    for (args, code, said) in rows {
        let Some(fixture) = Fixture::of_size("set_long", &long) else { return };
        let (command, rest) = args.strip_prefix("set ").map_or(("", &*args), |rest| ("set ", rest));
        let run = cmpdel(&format!("{command}--id {} {rest}", fixture.id()));
        let mut after = long;
        after[9] = if code == 0 { 8 } else { 7 };
        assert_run(&args, &fixture, &long, &run, code, &after);
        assert!(code != 2 || run.stderr.contains(said), "{args}: {run:?}");
    }
}

#[test]
fn no_update_is_undone_by_a_set_of_one_field() {
    let Some(fixture) = Fixture::new("set_race") else { return };
    if !*UPDATES {
        return eprintln!("skipped: this kernel has no compare-and-update");
    }
    let map = fixture.fd.as_fd();
    let done = AtomicBool::new(false);
    // One thread counts in the last four bytes, and sees each of its numbers come back.
    let lost = std::thread::scope(|scope| {
        let counter = scope.spawn(|| {
            let handle = Map::new(map).unwrap();
            let (mut count, mut lost) = (0_u32, 0);
            while !done.load(Ordering::Relaxed) {
                let seen = handle.lookup(&KEY).unwrap().unwrap();
                lost += u32::from(count != 0 && seen[4..] != count.to_ne_bytes());
                let next = [&seen[..4], &(count + 1).to_ne_bytes()].concat();
                let seen = cmpdel_uapi::Window::whole(&seen);
                if handle.update_if_eq(&KEY, &next, seen).unwrap() == cmpdel_uapi::Updated::Replaced {
                    count += 1;
                }
                std::thread::sleep(std::time::Duration::from_micros(500));
            }
            lost
        });
        for number in 42..52 {
            let run = cmpdel(&format!(
                "set --id {} --key u32be:0x0a000001 --offset 0 --expect u32:{number} --value u32:{}",
                fixture.id(),
                number + 1
            ));
            assert_eq!(run.code, 0, "{run:?}");
        }
        done.store(true, Ordering::Relaxed);
        counter.join().unwrap()
    });
    assert_eq!(lost, 0);
    assert_eq!(fixture.value().unwrap()[..4], 52_u32.to_ne_bytes());
}

#[test]
fn json_says_the_new_value() {
    let Some(fixture) = Fixture::new("set_json") else { return };
    let args = format!(
        "--id {} --key u32be:0x0a000001 --offset 0 --expect u32:42 --value u32:43 --json",
        fixture.id()
    );
    for (dry, outcome) in [(" --dry-run", "would_be_set"), ("", "set")] {
        let run = cmpdel(&format!("set {args}{dry}"));
        let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        if *UPDATES {
            assert_eq!((run.code, &object["outcome"]), (0, &outcome.into()), "{run:?}");
            assert_eq!(object["new_value"], "2b 00 00 00 01 02 03 04");
        } else {
            assert_eq!((run.code, &object["outcome"]), (4, &"unsupported".into()), "{run:?}");
        }
    }
}

#[test]
fn help_man_page_and_completions_know_it() {
    for args in ["set --help", "man", "completions bash", "completions fish"] {
        let run = cmpdel(args);
        assert_eq!(run.code, 0, "{args}");
        assert!(run.stdout.replace('\\', "").contains("rest-as-seen"), "{args}: {}", run.stdout);
    }
    let help = cmpdel("set --help").stdout;
    for words in ["Examples:", "Exit codes:", "a plain update is never tried"] {
        assert!(help.contains(words), "{words}");
    }
}
