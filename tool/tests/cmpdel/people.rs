// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people type and paste, of maps as they have them: unions and bit-fields in keys, network order, texts, and clocks that
//! are not the entries'. Needs root; without, each test says `skipped:` and why.

use crate::common::{Fixture, Run, SUPPORTED, cmpdel, cmpdel_to, cmpdel_words};

const KEY: &str = r#"{"src": "0x0a000001", "port": 80, "proto": 6, "netns": 1, "client": 2, "tail": 3}"#;

#[track_caller]
fn assert_run(what: &str, fixture: &Fixture, run: &Run, code: i32) {
    let code = if *SUPPORTED || code == 2 { code } else { 4 };
    assert_eq!(run.code, code, "{what}: {run:?}");
    assert_eq!(fixture.value().is_none(), code == 0, "{what}: {run:?}");
}

#[test]
fn keys_and_values_are_taken_as_people_have_them() {
    let value = r#"{"comm": "bash", "expires": 1000, "dport": 80, "code": 42, "seen": 7}"#;
    // Of dport bpftool prints 20480 here, and 80 is what people write.
    let pasted = format!(r#"{{"key": {{"proto": 6}}, "value": {value}}}"#);
    let other = r#"{"key": {"proto": 17}, "value": {"comm": "bash"}}"#;
    let code = if cfg!(target_endian = "little") { 2 } else { 0 };
    let rows: [(&str, &[&str], i32); 15] = [
        (KEY, &["--field", "dport", "--expect", "80"], 0),
        (KEY, &["--field", "dport", "--expect", "u16be:80"], 0),
        (KEY, &["--field", "dport", "--expect", "u16:80"], 2),
        (KEY, &["--field", "expires", "--expect", "1000"], 0),
        (KEY, &["--field", "comm", "--expect", "bash"], 0),
        (KEY, &["--field", "comm", "--expect", "zsh"], 1),
        (KEY, &["--field", "comm", "--expect", "10 20"], 2),
        (KEY, &["--expect", value], 0),
        (KEY, &["--expect", &pasted], code),
        (KEY, &["--expect", r#"{"key": {"proto": 6}, "value": {"comm": "bash"}}"#], 0),
        (KEY, &["--expect", other], 2),
        (KEY, &["--field", "comm", "--expect", other], 2),
        (KEY, &["--offset", "14", "--expect", "42"], 2),
        (KEY, &["--offset", "14", "--expect", "hex 2a"], 0),
        (r#"{"src": 1, "srcv6": [2, 0, 0, 0], "port": 80}"#, &["--field", "code", "--expect", "42"], 2),
    ];
    for (key, more, code) in rows {
        let Some(fixture) = Fixture::owners("people", 1, 7) else { return };
        let id = fixture.id().to_string();
        let args: Vec<&str> = ["--id", &id, "--key", key].into_iter().chain(more.iter().copied()).collect();
        assert_run(&more.join(" "), &fixture, &cmpdel_words(&args), code);
    }
}

#[test]
fn the_entry_of_another_key_is_refused_as_new_value_too() {
    let Some(fixture) = Fixture::owners("other_key", 1, 7) else { return };
    let (id, before) = (fixture.id().to_string(), fixture.value());
    let other = r#"{"key": {"proto": 17}, "value": {"code": 43}}"#;
    let run =
        cmpdel_words(&["set", "--id", &id, "--key", KEY, "--expect", r#"{"code": 42}"#, "--value", other]);
    assert_eq!((run.code, fixture.value()), (2, before), "{run:?}");
    assert!(run.stderr.contains("--value: the entry that is pasted has another key than --key"), "{run:?}");
}

#[test]
fn a_clock_that_is_not_the_entries_deletes_nothing() {
    let monotonic = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let now = u64::try_from(monotonic.tv_sec).unwrap() * 1_000_000_000;
    let rows = [
        (
            "--offset 16 --type u64 --now 1790000000000000000 --older-than 300000000000",
            2,
            "20 of 20 entries are stamped before this machine was booted, by --now",
        ),
        ("--field seen --clock realtime --older-than 5m", 2, "stamped before this machine was booted"),
        ("--field seen --now 1790000000000000000 --older-than 300000000000 --force", 0, ""),
        ("--field seen --clock monotonic --older-than 5m", 0, ""),
        ("--field seen --clock monotonic --older-than 0", 2, "all 20 entries have expired"),
        ("--field seen --clock monotonic --older-than 300", 2, "write 300s"),
        ("--field seen --older-than 5m", 2, "--clock monotonic for bpf_ktime_get_ns()"),
        ("--field seen --now 1000 --older-than 10", 2, "stamped later than now"),
        ("--field seen --older-than 2.5897e+12", 2, "no whole number and no time"),
        ("--field seen --now 2.5897e+12 --older-than 5", 2, "or let --clock monotonic say it"),
        ("--offset 12 --type u64 --older-than 5", 2, "they share bytes with"),
        ("--offset 8 --type u32 --older-than 2000", 2, "of the other byte order"),
        ("--field seen --older-than 999999999999999999999", 2, "everything would be too old"),
        ("--field expires --older-than 2000 --where key.port=81", 0, ""),
        ("--field expires --older-than 2000 --where value.code!=42", 0, ""),
        ("--field expires --older-than 2000 --where key.nope=81", 2, "no field `nope`"),
        (
            "--field expires --older-than 2000 --where key.src=u32be:0x0a000001",
            2,
            "all 20 entries of the map have expired",
        ),
    ];
    for (args, code, why) in rows {
        let Some(fixture) = Fixture::owners("clocks", 20, now) else { return };
        let run = cmpdel(&format!("gc --id {} {args}", fixture.id()));
        assert_eq!(run.code, if *SUPPORTED || code == 2 { code } else { 4 }, "{args}: {run:?}");
        assert!(code != 2 || run.stderr.contains(why), "{args}: {run:?}");
        let left = if args.contains("--force") && *SUPPORTED { 0 } else { 20 };
        assert_eq!(fixture.entries(), left, "{args}: {run:?}");
    }
}

#[test]
fn one_stamp_that_cannot_be_right_is_enough() {
    let seconds =
        u64::try_from(rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_sec).unwrap();
    let wall = "--now 1790000000000000000 --older-than 300000000000";
    let date = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let date = format!("--now {date} --older-than 300");
    let rows = [
        (seconds, &*date, 2, "stamped before this machine was booted, by --now"),
        (seconds * 1_000_000_000, wall, 2, "stamped before this machine was booted, by --now"),
        (seconds, "--clock monotonic --older-than 0", 2, "stamped before this machine was booted"),
        (seconds, "--clock monotonic --unit s --older-than 5m", 0, ""),
        // Microseconds, taken for nanoseconds.
        (
            seconds * 1_000_000,
            "--clock monotonic --older-than 5s",
            2,
            "the only entry is stamped in the first half",
        ),
        (
            0,
            "--clock monotonic --older-than 0",
            2,
            "1 of 1 entries hold 0, which is no time: --zero-is-never",
        ),
        (0, "--clock monotonic --older-than 0 --zero-is-never", 0, ""),
        (0, "--now 1000 --older-than 0", 2, "1 of 1 entries hold 0"),
    ];
    for (seen, args, code, why) in rows {
        let Some(fixture) = Fixture::owners("one_stamp", 1, seen) else { return };
        let run = cmpdel(&format!("gc --id {} --field seen {args}", fixture.id()));
        assert_eq!(run.code, if *SUPPORTED || code == 2 { code } else { 4 }, "{args}: {run:?}");
        assert!(run.stderr.contains(why), "{args}: {run:?}");
        assert_eq!(fixture.entries(), 1, "{args}: {run:?}");
    }
}

/// A reader that went away is no reason to stop; a disk that is full is one.
#[test]
fn nothing_is_deleted_after_what_could_not_be_told() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let cannot = "standard output cannot be written to (No space left";
    let Some(fixture) = Fixture::owners("full", 20, 7) else { return };
    let args = format!("gc --id {} --field seen --older-than 50 --force --batch 1 --keys", fixture.id());
    let run = cmpdel_to(&args, full());
    if *SUPPORTED {
        // A batch of one holds more where its bucket does.
        assert_eq!((run.code, fixture.entries() > 10), (6, true), "{run:?}");
        assert!(run.stderr.contains(cannot) && run.stderr.contains("so no more is deleted"), "{run:?}");
    } else {
        assert_eq!((run.code, run.stderr.contains("this kernel has no")), (4, true), "{run:?}");
    }
    for args in ["man", "completions bash"] {
        let run = cmpdel_to(args, full());
        assert_eq!((run.code, run.stderr.contains(cannot)), (6, true), "{args}: {run:?}");
    }
    // The answer is the exit code, and is not lost with the sentence.
    let run = cmpdel_to(&format!("--id {} --key u32:1 --expect u32:1 --json", fixture.id()), full());
    assert_eq!((run.code, run.stderr.contains("cmpdel: --key: ")), (2, true), "{run:?}");
    let run = cmpdel_to("probe", full());
    assert_eq!((run.code, run.stderr.contains(cannot)), (if *SUPPORTED { 0 } else { 4 }, true), "{run:?}");
}

#[test]
fn an_age_beyond_that_of_the_machine_is_told_on_each_clock() {
    let date = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (args, is_told) in [
        ("--clock monotonic --older-than 90y".into(), true),
        ("--clock boottime --unit s --older-than 90y".into(), true),
        ("--clock realtime --older-than 9y".into(), true),
        (format!("--now {date} --older-than 300000000"), true),
        ("--clock realtime --older-than 1ms".into(), false),
    ] {
        let Some(fixture) = Fixture::owners("ages", 2, u64::MAX) else { return };
        let run = cmpdel(&format!("gc --id {} --field seen {args} --json", fixture.id()));
        assert_eq!(run.stdout.contains("has not run for so long yet"), is_told, "{args}: {run:?}");
        assert_eq!(fixture.entries(), 2, "{args}");
    }
}

#[test]
fn what_is_compared_and_what_is_not_stands_where_the_operator_reads() {
    for (args, words) in [
        ("--help", "deleted and put back with equal bytes"),
        ("gc --help", "deleted and put back with equal bytes"),
        ("--help", "store in place"),
        ("gc --help", "stores in place"),
    ] {
        let help = cmpdel(args).stdout.replace('\n', " ");
        assert!(help.contains(words), "{args}: {words}");
    }
}
